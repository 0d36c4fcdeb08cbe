// The whole life of a service's heads on a real node, with the images that ship, the rights that ship, trainers as Jobs under Pod
// Security restricted, and every connection between them over mutual TLS. The stages follow each other on one cluster; whoever
// works on a later one saves the training of the first (see README.md, "The loop").
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { verifyBundle } from '../../../operator/fleet/pull-bundle.ts';
import { poisonBundle } from '../../../operator/local/drills/poisoned-heads.ts';
import { ANNOTATIONS } from '../../../operator/plan/names.ts';
import { whyUnavailable } from '../../support/control-plane.ts';
import { createFigures } from './figures.ts';
import { isCertified } from './head-revisions.ts';
import { NAMESPACE, SERVICE, startLoop, type LoopRun } from './loop-run.ts';
import { bringHeads, makeSure, readHeads } from './own-heads.ts';
import { policyAfter } from './policy-times.ts';

const unavailable = await whyUnavailable('node');
const MINUTE = 60_000;
const GOLDEN = '../../golden/cluster/loop';

/** Conditions that hold at every stage. */
const SETTLED = ['Ready', 'Available', 'PolicyApplied'];

/** Rows a second: all of up to 50 are audited while exits are off. */
const COLLECTING_RATE = 48;
/** Twenty blocks of ten seconds make the first look on less than 2,000 rows, and the second is not due before promotion. */
const SHADOW_RATE = 8;
const FIRST_RAMP_RATE = 20;
/** With every row an audit, twenty blocks make the last look: no later one raises lambda in the middle of a stage. */
const SERVING_RATE = 60;
const RECERTIFYING_RATE = 30;

/** A folder for the first heads: they are brought from there, or else kept there. */
const seed = process.env.LAYERCACHE_LOOP_HEADS ?? null;
const seedFile = seed === null ? null : join(seed, 'first.bundle');

describe.skipIf(unavailable !== null)('the loop on a real node', () => {
  const figures = createFigures();
  let loop: LoopRun;
  let started: LoopRun | null = null;
  let isSeeded = false;

  beforeAll(async () => {
    loop = started = await startLoop(COLLECTING_RATE);
  }, 10 * MINUTE);
  afterAll(async () => {
    process.stderr.write(figures.text());
    await started?.stop();
  }, 2 * MINUTE);
  beforeEach((context) => {
    context.skip(started?.isStuck() === true, 'a stage before it was not reached');
  });

  const golden = async (name: string, pods = 2): Promise<void> => {
    // What the operator says follows the pods by moments, or by a minute on a busy machine.
    const isSettled = async (): Promise<boolean> => {
      const { conditions = [], readyReplicas } = (await loop.vision.read()).status;
      const isTrue = (wanted: string): boolean =>
        conditions.some(({ type, status }) => type === wanted && status === 'True');
      return readyReplicas === pods && SETTLED.every(isTrue);
    };
    await loop.reaches('every pod ready and on one policy', isSettled, 2 * MINUTE);
    const text = await loop.text.stage();
    // Heads that were brought have another name and no Job.
    const folder = isSeeded ? `${GOLDEN}/own-heads` : GOLDEN;
    await expect.soft(text).toMatchFileSnapshot(`${folder}/${name}.txt`);
  };
  const patch = (spec: object): Promise<string> =>
    loop.kubectl('patch', 'cms', SERVICE, '--type=merge', '-p', JSON.stringify({ spec }));
  const auditRate = (share: string): Promise<string> => patch({ accuracy: { auditRate: share } });
  const unpin = (): Promise<string> => patch({ heads: { revision: null } });
  const earlyAnswers = (): number =>
    [...loop.traffic.heads.values()].reduce((sum, rows) => sum + rows, 0);

  /** These heads serve alone. */
  const serves = async (headRevision: string): Promise<boolean> => {
    const policy = await loop.policy();
    if (policy?.exitsEnabled !== true || policy.candidate !== null) return false;
    return policy.stable?.headRevision === headRevision;
  };
  /** Answers of these heads come after now. */
  const answersEarly = async (headRevision: string): Promise<void> => {
    const count = (): number => loop.traffic.heads.get(headRevision) ?? 0;
    const before = count();
    await loop.reaches('early answers', () => count() > before + 20, MINUTE);
  };
  /** The first two: digests of bundles, which are what policies and answers name. */
  const digests: string[] = [];

  test(
    'traffic alone leads to a Job, a revision, a certificate and early answers, and no request fails',
    async () => {
      const { traffic, reaches, revisions } = loop;
      isSeeded = seedFile !== null && existsSync(seedFile);
      if (seedFile !== null && isSeeded) {
        const bytes = readFileSync(seedFile);
        const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
        const heads = verifyBundle(bytes, digest);
        if (!heads.ok) throw new Error(heads.message);
        const at = { namespace: NAMESPACE, name: 'vision-seeded' };
        await bringHeads(loop.node, at, { service: SERVICE, heads: heads.value });
        await patch({ heads: { revision: 'vision-seeded' } });
      } else {
        const has = async (): Promise<boolean> =>
          (await loop.kubectl('get', 'jobs', '-o', 'name')) !== '';
        await reaches('a training Job', has, 12 * MINUTE);
      }
      traffic.rate = SHADOW_RATE;
      await reaches('a head revision', async () => (await revisions()).length === 1, 10 * MINUTE);
      const [first] = await revisions();
      digests.push(first!.spec.bundle.digest);
      const hasCertificate = async (): Promise<boolean> => (await revisions()).some(isCertified);
      await reaches('a certificate', hasCertificate, 15 * MINUTE);
      figures.add('requests until certified (<= 15,000)', traffic.answered);
      traffic.rate = FIRST_RAMP_RATE;
      await reaches('promotion', () => serves(digests[0]!), 10 * MINUTE);
      await answersEarly(digests[0]!);
      await golden('1-certified');
      if (isSeeded) await unpin();
      else if (seed !== null && seedFile !== null) {
        const name = first!.metadata.name;
        const { bytes } = await readHeads(loop.node, { namespace: NAMESPACE, name }, digests[0]!);
        mkdirSync(seed, { recursive: true });
        writeFileSync(seedFile, bytes);
      }
      expect(traffic.failures).toEqual([]);
    },
    60 * MINUTE,
  );

  test(
    'a second revision, trained by a Job of its own on younger rows, ramps to 100 % while pods join and leave, and no request fails',
    async () => {
      const { traffic, reaches, revisions, kubectl, readyPods } = loop;
      const [first] = digests;
      // What was one exit may be three: the second heads save more.
      await patch({ tuning: { maxActiveExits: null } });
      await kubectl('annotate', 'cms', SERVICE, `${ANNOTATIONS.request}=retrain:second`);
      await auditRate('100%');
      traffic.rate = RECERTIFYING_RATE;
      await reaches('a second revision', async () => (await revisions()).length === 2, 15 * MINUTE);
      const second = (await revisions())[1]!;
      digests.push(second.spec.bundle.digest);
      traffic.rate = SERVING_RATE;
      const isRamping = async (): Promise<boolean> => {
        const candidate = (await loop.policy())?.candidate;
        return candidate?.stage === 'Ramping' && candidate.headRevision === digests[1];
      };
      await reaches('the ramp of the second revision', isRamping, 20 * MINUTE);
      await kubectl('scale', 'cms', SERVICE, '--replicas=3');
      await readyPods(3);
      expect.soft(await isRamping()).toBe(true);
      await golden('2-ramping', 3);
      await kubectl('scale', 'cms', SERVICE, '--replicas=2');
      await readyPods(2);
      expect.soft(await isRamping()).toBe(true);
      await reaches('promotion of the second revision', () => serves(digests[1]!), 15 * MINUTE);
      await answersEarly(digests[1]!);
      await golden('3-promoted');
      expect(traffic.failures).toEqual([]);
      const at = { namespace: NAMESPACE };
      const heads = await Promise.all(
        (await revisions()).map(({ metadata: { name }, spec }) =>
          readHeads(loop.node, { ...at, name }, spec.bundle.digest),
        ),
      );
      const [old, young] = heads.map(({ bundle }) => bundle.training.samplesUntil);
      expect(digests[1]).not.toBe(first);
      for (const { podUid, seq } of old!) {
        expect(young!.find((pod) => pod.podUid === podUid)?.seq ?? seq).toBeGreaterThan(seq);
      }
      const certified = (await loop.policy())?.stable?.certificate;
      figures.add('audits behind the second certificate', certified?.audits ?? 0);
    },
    60 * MINUTE,
  );

  test(
    'poisoned heads that pass every check of a file are aborted by their evidence and remembered; they answer nothing',
    async () => {
      const { traffic, reaches, revisions, node, vision } = loop;
      await auditRate('100%');
      traffic.rate = SERVING_RATE;
      const serving = (await loop.policy())!.stable!.headRevision;
      const made = (await revisions()).find(({ spec }) => spec.bundle.digest === serving)!;
      const at = { namespace: NAMESPACE, name: made.metadata.name };
      const poisoned = makeSure(poisonBundle(await readHeads(node, at, serving)));
      await bringHeads(
        node,
        { namespace: NAMESPACE, name: 'vision-poisoned' },
        { service: SERVICE, heads: poisoned },
      );
      await patch({ heads: { revision: 'vision-poisoned' } });
      const isCandidate = async (): Promise<boolean> =>
        (await loop.policy())?.candidate?.headRevision === poisoned.headRevision;
      await reaches('the poisoned candidate', isCandidate, 2 * MINUTE);
      const early = earlyAnswers();
      const isRemembered = async (): Promise<boolean> =>
        (await vision.read()).status.heads?.failed?.some(
          ({ digest }) => digest === poisoned.headRevision,
        ) === true;
      await reaches('the end of the poisoned candidate', isRemembered, 20 * MINUTE);
      await golden('4-poisoned');
      // Still pinned, and not tried again: the heads of before serve, at whatever lambda.
      const policy = await loop.policy();
      expect.soft(policy).toMatchObject({ exitsEnabled: true, stable: { headRevision: serving } });
      expect.soft(policy?.candidate?.headRevision ?? serving).toBe(serving);
      expect.soft(traffic.heads.get(poisoned.headRevision)).toBeUndefined();
      expect.soft(earlyAnswers()).toBeGreaterThan(early);
      await unpin();
      await answersEarly(serving);
      expect(traffic.failures).toEqual([]);
    },
    40 * MINUTE,
  );

  test(
    'a drift to about 3 % raises an alarm: exits go off on every pod with one policy',
    async () => {
      const { traffic, reaches } = loop;
      await auditRate('20%');
      traffic.rate = SERVING_RATE;
      await reaches(
        'audits as asked',
        async () => (await loop.policy())?.auditRate === 0.2,
        MINUTE,
      );
      const stop = traffic.record();
      traffic.isBlurred = true;
      const isOff = async (): Promise<boolean> => (await loop.policy())?.exitsEnabled === false;
      await reaches('exits off', isOff, 15 * MINUTE);
      const off = (await loop.policy())!;
      traffic.rate = RECERTIFYING_RATE;
      await loop.vision.says('PolicyApplied', 'True', 'AllReplicas');
      // What left early before the policy came may still be on its way.
      await traffic.answersOfNow();
      const early = earlyAnswers();
      const answers = stop();
      await golden('5-alarm');
      const wrong = await traffic.disagreements(answers);
      figures.add('blurred requests until exits were off', answers.length);
      figures.add(
        'of them answered unlike the backbone',
        `${wrong} (${percent(wrong, answers.length)})`,
      );
      const times = await loop.times();
      const alarm = times.decided.findLast(({ code }) => code === 'Alarm')!;
      const applied = policyAfter(times, alarm.atMs)!;
      expect(applied).toMatchObject({ policy: `${off.epoch}.${off.revision}`, pods: 2 });
      const tookMs = applied.appliedMs - alarm.atMs;
      figures.add('alarm to exits off on every pod (<= 10 s)', `${tookMs} ms`);
      expect(tookMs).toBeLessThan(10_000);
      expect(earlyAnswers()).toBe(early);
      expect(traffic.failures).toEqual([]);
    },
    40 * MINUTE,
  );

  test(
    'the heads are certified again or others are trained, and exits come back on',
    async () => {
      const { traffic, reaches } = loop;
      traffic.rate = RECERTIFYING_RATE;
      const isOn = async (): Promise<boolean> => {
        const policy = await loop.policy();
        return policy?.exitsEnabled === true && policy.candidate === null;
      };
      await reaches('exits on', isOn, 50 * MINUTE);
      const { headRevision } = (await loop.policy())!.stable!;
      await answersEarly(headRevision);
      figures.add('back on by', headRevision === digests[1] ? 'the same heads' : 'other heads');
      await golden('6-on-again');
      expect(traffic.failures).toEqual([]);
      figures.policies(await loop.times());
      figures.add('requests in all', traffic.answered);
      figures.add('requests failed', traffic.failures.length);
    },
    60 * MINUTE,
  );
});

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(2)} %`;
}
