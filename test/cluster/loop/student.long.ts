// `heads.training.student: Auto` on a real node: servers hold input rows because the manifest says so, a Job under Pod Security restricted
// reads them over mutual TLS and makes a student, which is certified and answers before the backbone. What only other keys may not do:
// test/http/admin/rights.test.ts. The stages follow each other on one cluster; the same in local mode: test/http/local/student-run.long.ts.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { STUDENT_EXIT } from '../../../crds/wire/student.ts';
import { whyUnavailable } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { readObject } from '../pods/node-objects.ts';
import { storedPolicyOrNull } from '../pods/stored-policy.ts';
import { createFigures } from './figures.ts';
import { isCertified, readRevisions, type HeadRevision } from './head-revisions.ts';
import { readHeldInputs } from './held-inputs.ts';
import { readHeads } from './own-heads.ts';
import { areServersReady, REPLICAS, startStudentRun, type StudentRun } from './student-run.ts';

const unavailable = await whyUnavailable('node');
const MINUTE = 60_000;

const FIRST_RATE = 20;
/** Each of two pods records up to 50 rows a second while exits are off: 10,000 rows are there in two minutes. */
const COLLECTING_RATE = 90;
/** So few that memory for inputs does not fill again while a student is made: rows that are gone were deleted. */
const TRAINING_RATE = 4;
const CERTIFYING_RATE = 20;

/** Of each server; a row of 3 x 16 x 16 takes 1,664 bytes. */
const INPUTS = { maxSize: '4Mi', retention: '30m' };
const MAX_ROWS = Math.floor((4 * 1024 * 1024) / 1_664);
const BUDGET = 0.05;
const RECORDED = 800;

interface JobStatus {
  readonly succeeded?: number;
  readonly failed?: number;
}

describe.skipIf(unavailable !== null)('a student on a real node', () => {
  const figures = createFigures();
  let run: StudentRun;
  let started: StudentRun | null = null;
  let revision: HeadRevision;

  beforeAll(async () => {
    run = started = await startStudentRun(FIRST_RATE);
  }, 15 * MINUTE);
  afterAll(async () => {
    process.stderr.write(figures.text());
    await started?.stop();
  }, 2 * MINUTE);
  beforeEach((context) => {
    context.skip(started?.isStuck() === true, 'a stage before it was not reached');
  });

  /** A pod beside a training may be slow to answer. */
  const held = () =>
    eventually(
      async () => readHeldInputs(run.place, (await run.service.read()).metadata.uid),
      MINUTE,
    );
  const heldInStatus = async () => (await run.service.read()).status.inputs;
  const policy = () => storedPolicyOrNull(run.node, run.place);

  test(
    'no pod holds inputs while the manifest asks for no student',
    async () => {
      const { traffic, reaches } = run;
      const haveSampled = async (): Promise<boolean> => {
        const pods = await held();
        return pods.length === REPLICAS && pods.every(({ sampledRows }) => sampledRows > 50);
      };
      await reaches('rows recorded on every pod', haveSampled, 5 * MINUTE);
      for (const pod of await held()) {
        expect(pod).toMatchObject({ state: undefined, sequence: null });
      }
      expect(await heldInStatus()).toBeUndefined();
      expect(traffic.failures).toEqual([]);
    },
    10 * MINUTE,
  );

  test(
    'with Auto every pod holds inputs of recorded rows, and the status tells how many at most and for how long',
    async () => {
      const { service, traffic, reaches } = run;
      await service.patch({ heads: { training: { student: 'Auto', inputs: INPUTS } } });
      traffic.rate = COLLECTING_RATE;
      const told = { pods: REPLICAS, maxRows: MAX_ROWS, retention: INPUTS.retention };
      const areHeld = async (): Promise<boolean> => {
        if (!(await areServersReady(run))) return false;
        const pods = await held();
        const hold = pods.every(
          ({ state, sequence }) => state !== undefined && sequence!.length > 0,
        );
        return pods.length === REPLICAS && hold && (await heldInStatus())?.pods === REPLICAS;
      };
      await reaches('inputs held on every pod', areHeld, 8 * MINUTE);
      expect(await heldInStatus()).toEqual(told);
      for (const { state } of await held()) {
        expect(state).toMatchObject({ maxRows: MAX_ROWS, retentionSeconds: 1_800 });
        expect(state!.rows).toBeLessThanOrEqual(MAX_ROWS);
      }
      expect(traffic.failures).toEqual([]);
    },
    10 * MINUTE,
  );

  test(
    'a Job makes heads with a student of them, and the rows that it read are deleted on every pod',
    async () => {
      const { node, place, traffic, reaches } = run;
      const at = { namespace: place.namespace, name: `${place.name}-train-1` };
      const isMade = async (): Promise<boolean> => {
        const { items } = await readObject<{ items: { metadata: { name: string } }[] }>(node, {
          kind: 'Job',
          namespace: place.namespace,
        });
        return items.some(({ metadata }) => metadata.name === at.name);
      };
      await reaches('a training Job', isMade, 10 * MINUTE);
      traffic.rate = TRAINING_RATE;
      const before = new Map(
        (await held()).map(({ podUid, sequence }) => [podUid, sequence!.at(-1)!]),
      );
      expect(before.size).toBe(REPLICAS);
      const has = async (): Promise<boolean> =>
        (await readRevisions(node, place.namespace)).length === 1;
      await reaches('a head revision', has, 20 * MINUTE);
      for (const { podUid, sequence } of await held()) {
        expect(sequence!.length).toBeLessThan(MAX_ROWS);
        expect(sequence![0] ?? Infinity).toBeGreaterThan(before.get(podUid)!);
      }
      revision = (await readRevisions(node, place.namespace))[0]!;
      const { bundle } = await readHeads(
        node,
        { ...at, name: revision.metadata.name },
        revision.spec.bundle.digest,
      );
      expect(bundle.heads[0]).toMatchObject({ exit: STUDENT_EXIT, tensor: null });
      expect(bundle.heads[0]!.student).toBeDefined();
      figures.add('rows that trained', bundle.training.trainingRows);
      figures.add('exits', bundle.heads.map(({ exit }) => exit).join(', '));
      let attempts = 0;
      const hasSucceeded = async (): Promise<boolean> => {
        const job = { ...at, kind: 'Job' } as const;
        const { status } = await readObject<{ status: JobStatus }>(node, job);
        attempts = (status.succeeded ?? 0) + (status.failed ?? 0);
        return status.succeeded === 1;
      };
      await reaches('the end of the Job', hasSucceeded, 2 * MINUTE);
      expect(attempts).toBe(1);
      expect(traffic.failures).toEqual([]);
    },
    35 * MINUTE,
  );

  test(
    'the student is certified and promoted, and answers as the backbone does, within the budget',
    async () => {
      const { node, place, traffic, reaches } = run;
      traffic.rate = CERTIFYING_RATE;
      const hasCertificate = async (): Promise<boolean> =>
        (await readRevisions(node, place.namespace)).some(isCertified);
      await reaches('a certificate', hasCertificate, 15 * MINUTE);
      figures.add('requests until certified', traffic.answered);
      const isPromoted = async (): Promise<boolean> => {
        const now = await policy();
        if (now?.exitsEnabled !== true || now.candidate !== null) return false;
        return now.stable?.headRevision === revision.spec.bundle.digest;
      };
      await reaches('promotion', isPromoted, 10 * MINUTE);
      await run.service.says('PolicyApplied', 'True', 'AllReplicas');
      await traffic.answersOfNow();
      const stop = traffic.record();
      const from = traffic.answered;
      await reaches('answers', () => traffic.answered >= from + RECORDED, 3 * MINUTE);
      const answers = stop();
      const students = answers.filter(({ exit }) => exit === STUDENT_EXIT).length;
      const wrong = await traffic.disagreements(answers);
      figures.add('answers', answers.length);
      figures.add('of them by the student', students);
      figures.add('unlike the backbone', wrong);
      expect(students).toBeGreaterThan(0.3 * answers.length);
      expect(wrong).toBeLessThanOrEqual(BUDGET * answers.length);
      expect(traffic.failures).toEqual([]);
    },
    35 * MINUTE,
  );

  test(
    'with Off no pod holds inputs, the status tells of none, and the student that was made goes on answering',
    async () => {
      const { service, traffic, reaches } = run;
      await service.patch({ heads: { training: { student: 'Off' } } });
      const areGone = async (): Promise<boolean> => {
        if (!(await areServersReady(run)) || (await heldInStatus()) !== undefined) return false;
        const pods = await held();
        const gone = pods.every(({ state, sequence }) => state === undefined && sequence === null);
        return pods.length === REPLICAS && gone;
      };
      await reaches('no inputs on any pod', areGone, 8 * MINUTE);
      const early = traffic.exits.get(STUDENT_EXIT) ?? 0;
      const answers = (): boolean => (traffic.exits.get(STUDENT_EXIT) ?? 0) > early + 20;
      await reaches('answers by the student', answers, 3 * MINUTE);
      expect(await heldInStatus()).toBeUndefined();
      figures.add('requests in all', traffic.answered);
      figures.add('requests failed', traffic.failures.length);
      expect(traffic.failures).toEqual([]);
    },
    12 * MINUTE,
  );
});
