import { describe, expect, test } from 'vitest';
import type { DashboardFacts } from '../../../../../operator/commands/dashboard/dashboard-facts.ts';
import { readPodCounts } from '../../../../../operator/commands/dashboard/pod-counts.ts';
import {
  createServicePage,
  type ServicePage,
} from '../../../../../operator/commands/dashboard/service-page.ts';
import { readServiceView } from '../../../../../operator/commands/service/read-service-view.ts';
import type { EventView } from '../../../../../operator/commands/service/service-view.ts';
import type { Ledger } from '../../../../../operator/lifecycle/ledger.ts';
import {
  pageEventSchema,
  pageStateSchema,
  type Picture,
} from '../../../../../operator/local/page/state/page-state.ts';
import { binomialUpper } from '../../../../../server/core/binomial.ts';
import { REVISION } from '../../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  anAttempt,
  aRampingCandidate,
  aServingLedger,
  aStable,
  aVoidedStable,
  blocksOf,
} from '../../../../support/ledger-builders.ts';
import { createPlayedPod } from '../../../../support/played-pod.ts';
import {
  ago,
  ALARM,
  aServiceObject,
  COLLECTING,
  NOW_MS,
  RAMPING,
  SERVING,
  SHADOWING,
} from '../../../../support/service-objects.ts';
import { aPolicy } from '../../../crds/documents.ts';

const PLACE = { context: 'production', server: 'https://10.0.0.1:6443' };
const AGE_SECONDS = 260_000;

interface Case {
  readonly status?: Record<string, unknown>;
  readonly spec?: Record<string, unknown>;
  readonly ledger?: Ledger | null;
  readonly events?: readonly EventView[] | null;
  readonly policy?: DashboardFacts['policy'];
  readonly fleet?: DashboardFacts['fleet'];
}

const NO_PODS: DashboardFacts['fleet'] = { pods: [], podCount: 0, problem: 'No pod runs.' };

function factsOf({
  status = SERVING,
  spec,
  ledger = aServingLedger(),
  events = [],
  policy = null,
  fleet = NO_PODS,
}: Case = {}): DashboardFacts {
  return {
    service: readServiceView(aServiceObject({ status, ...(spec && { spec }) })),
    ledger: ledger === null ? { ledger, problem: 'it is not there' } : { ledger, problem: null },
    ...{ events, policy, fleet },
  };
}

function pageOf(parts: Case = {}): ServicePage {
  return createServicePage(PLACE, factsOf(parts), NOW_MS);
}

/** Every picture keeps to the schema of the page. */
function pictureOf(parts: Case = {}): Picture {
  return pageEventSchema.parse(pageAt(pageOf(parts), NOW_MS));
}

function pageAt(page: ServicePage, nowMs: number): Picture & { point: unknown } {
  const { picture, point } = page.tick(nowMs);
  return { ...picture, point };
}

async function told(rows: Readonly<Record<string, number>>): Promise<DashboardFacts['fleet']> {
  const pod = createPlayedPod();
  pod.serve(rows);
  const counts = readPodCounts(await pod.page());
  return { pods: [{ name: 'vision-0', isReady: true, counts }], podCount: 1, problem: null };
}

describe('the picture of a service', () => {
  test('has its times in seconds since the service was made', () => {
    const { atSeconds, cluster, stages, timeline } = pictureOf({
      ledger: aServingLedger({ stageSinceMs: NOW_MS - 90_000 }),
    });
    expect(atSeconds).toBe(AGE_SECONDS);
    expect(cluster).toMatchObject({
      ...PLACE,
      namespace: 'ml',
      startMs: NOW_MS - 1_000 * AGE_SECONDS,
      policy: { epoch: 3, revision: 17, acknowledged: 2, readyPods: 2 },
      stale: null,
    });
    expect(cluster?.conditions[0]).toEqual({
      type: 'Ready',
      status: 'True',
      reason: 'Serving',
      message: 'The endpoint answers for this generation.',
      sinceSeconds: AGE_SECONDS - 3_700,
    });
    expect(stages.at(-1)).toMatchObject({ name: 'Serve', status: 'Running', seconds: 90 });
    expect(timeline).toEqual([
      { stage: 'Serve', share: null, startSeconds: AGE_SECONDS - 90, endSeconds: null },
    ]);
  });

  test('has the evidence of the ledger: the same counts and bound as `evidence`', () => {
    const stable = aStable({ evidence: anAttempt({ blocks: blocksOf(4_000) }) });
    const { disagreement, certificate, curve } = pictureOf({ ledger: aServingLedger({ stable }) });
    expect(disagreement).toEqual({ n: 4_000, k: 0, upper: binomialUpper(0, 4_000, 1 - 0.95) });
    expect(certificate).toMatchObject({ headRevision: REVISION, n: 1_000, look: 1 });
    expect(curve).toMatchObject({ headRevision: REVISION, n: 4_000 });
    expect(curve?.lambda).toHaveLength(40);
    expect(curve?.leaving[0]).toBe(0.6);
  });

  test('shows a candidate under test, and the certificate of one that ramps', () => {
    const stable = aStable();
    const tested = aCandidate({ evidence: anAttempt({ blocks: blocksOf(500) }) });
    const shadowing = pictureOf({ ledger: aServingLedger({ stable, candidate: tested }) });
    expect(shadowing.curve?.n).toBe(500);
    expect(shadowing.certificate?.headRevision).toBe(REVISION);
    const candidate = aRampingCandidate({ ramp: { ...aRampingCandidate().ramp!, requests: 61 } });
    const ramping = pictureOf({
      status: RAMPING,
      ledger: aServingLedger({ stage: 'Ramping', stable, candidate }),
    });
    expect(ramping.certificate?.headRevision).toBe(candidate.headRevision);
    expect(ramping.stages[4]).toMatchObject({ name: 'Ramp', status: 'Running', rows: 61 });
    expect(ramping.timeline[0]).toMatchObject({ stage: 'Ramp', share: 0.25 });
  });

  test('without the ledger takes of the status what it repeats, and says what is missing', () => {
    const { disagreement, certificate, curve, unshown, stages } = pictureOf({ ledger: null });
    expect(disagreement).toEqual({ n: 5_210, k: 21, upper: 0.0058 });
    expect([certificate, curve]).toEqual([null, null]);
    expect(unshown.evidence).toBe('No evidence: it is not there.');
    expect(stages.at(-1)).toMatchObject({ status: 'Running', seconds: null });
    const collecting = pictureOf({ status: COLLECTING, ledger: null });
    expect(collecting.disagreement).toEqual({ n: 0, k: 0, upper: 1 });
    expect(collecting.stages[1]?.status).toBe('Running');
  });

  test('says why nothing is audited while no certificate is in force', () => {
    const { disagreement, unshown, exitsAre } = pictureOf({
      status: ALARM,
      ledger: aServingLedger({ stable: aVoidedStable(), stage: 'Recertifying' }),
    });
    expect(disagreement.n).toBe(0);
    expect(unshown.evidence).toContain('No certificate is in force (Alarm)');
    expect(exitsAre.on).toBe(false);
  });

  test.each([
    ['Load', { ...COLLECTING, backbone: {} }, aLedger()],
    ['Collect', COLLECTING, aLedger()],
    ['Train', COLLECTING, aLedger({ stage: 'Training' })],
    [
      'Certify',
      SHADOWING,
      aLedger({
        stage: 'Shadowing',
        candidate: aCandidate({ evidence: anAttempt({ blocks: blocksOf(400) }) }),
      }),
    ],
    [undefined, COLLECTING, aLedger({ stage: 'Idle' })],
  ])('is at %s, what came before is done, and the rest waits', (name, status, ledger) => {
    const { stages } = pictureOf({ status, ledger });
    const at = stages.findIndex((stage) => stage.status === 'Running');
    expect(stages[at]?.name).toBe(name);
    const done = stages.filter((stage) => stage.status === 'Done').length;
    expect(done).toBe(name === undefined ? 1 : at);
    if (name === 'Certify') expect(stages[at]).toMatchObject({ rows: 400, wantedRows: 1_000 });
    if (name === 'Collect') expect(stages[at]).toMatchObject({ wantedRows: 10_000 });
  });

  test('has events as decisions, the newest last, with the meaning of known reasons', () => {
    const events: EventView[] = [
      { type: 'Warning', reason: 'Alarm', note: 'Too many.', time: ago(10), count: 3 },
      { type: 'Normal', reason: 'Certified', note: 'So it is.', time: ago(60), count: 1 },
      { type: 'Warning', reason: 'FromTheFuture', note: 'Who knows.', time: ago(30), count: 1 },
      { type: 'Normal', reason: 'Certified', note: 'Nobody dated it.', time: undefined, count: 1 },
    ];
    const { decisions } = pictureOf({ events });
    expect(decisions.map(({ reason, tone, message }) => [reason, tone, message])).toEqual([
      ['Certified', 'Good', 'So it is.'],
      ['FromTheFuture', 'Warning', 'Who knows.'],
      ['Alarm', 'Alarm', 'Too many. (3 times)'],
    ]);
    expect(decisions[0]?.atSeconds).toBe(AGE_SECONDS - 60);
    expect(decisions[1]?.meaning).toBe('');
    expect(decisions[2]?.meaning).not.toBe('');
  });

  test('tells events that may not be read from events that are not there', () => {
    expect(pictureOf({ events: null }).unshown.decisions).toContain('may not list events');
    expect(pictureOf({ events: [] }).unshown.decisions).toContain('has no event of this service');
  });

  test('without pods has unknown figures, not zeros', () => {
    const { totals, exits, servers, unshown } = pictureOf({ fleet: NO_PODS });
    expect(totals).toMatchObject({ requests: null, early: null, errors: null, rowsPerSecond: 100 });
    expect(exits.map(({ rows, share }) => [rows, share])).toEqual([
      [null, 0.31],
      [null, 0.303],
      [null, 0],
      [null, 1 - (0.31 + 0.303)],
    ]);
    expect(servers).toEqual([]);
    expect(unshown.traffic).toBe('No pod runs.');
  });

  test('adds up what pods count, exit by exit', async () => {
    const fleet = await told({ early: 10_000, late: 2_000, backbone: 8_000 });
    const { totals, exits, servers, latency, saved } = pictureOf({ fleet });
    expect(totals).toMatchObject({ requests: 20_000, early: 12_000, errors: 0 });
    expect(exits[0]).toMatchObject({
      ...{ name: 'early', tensor: 'early_out', isOn: true, hasHead: true },
      ...{ rows: 10_000, share: 0.5, audits: 200, disagreements: 2, savedMs: 11 },
    });
    expect(exits[0]?.agreement?.ratio).toBe(0.99);
    expect(exits[2]).toMatchObject({ name: 'last', isOn: false, hasHead: false });
    expect(exits[3]).toMatchObject({ name: 'backbone', tensor: null, savedMs: null, share: 0.4 });
    expect(servers[0]).toMatchObject({ name: 'vision-0', queueCapacity: 1_024, batchRows: 8 });
    expect(latency.backboneP50).toBeGreaterThan(10);
    expect(saved.timeRatio).toBe(0.34);
  });

  test('names the exits that one pod alone does not let answer', () => {
    const pods = pictureOf({
      policy: aPolicy(),
      fleet: {
        pods: [
          {
            name: 'vision-0',
            isReady: true,
            counts: readPodCounts(
              [
                'layercache_exit_enabled{exit="early",track="stable"} 0',
                'layercache_exit_enabled{exit="late",track="stable"} 1',
              ].join('\n'),
            ),
          },
          { name: 'vision-1', isReady: false, counts: null },
        ],
        podCount: 12,
        problem: null,
      },
    });
    expect(pods.servers.map(({ switchedOff }) => switchedOff)).toEqual([
      ['early: in this pod alone'],
      [],
    ]);
    expect(pods.statements.map(({ reason }) => reason)).toEqual(['PodsSampled', 'PodsSilent']);
  });

  test('of a spec that breaks a rule has the terms of the policy in force', () => {
    const picture = pictureOf({
      spec: { accuracy: { maxDisagreement: '1 %' } },
      policy: aPolicy({ budget: 0.02 }),
    });
    expect(picture.run).toMatchObject({ budgetRatio: 0.02, confidence: 0.95 });
    expect(picture.statements[0]?.reason).toBe('InvalidSpec');
  });

  test('of a new service without a status is a picture too', () => {
    const { exits, stages, run, cluster } = pictureOf({ status: {}, ledger: null });
    expect(exits.map(({ name }) => name)).toEqual(['backbone']);
    expect(stages[0]).toMatchObject({ name: 'Load', status: 'Running' });
    expect(run).toMatchObject({ engine: '', backbone: 'not loaded yet', predictUrl: null });
    expect(cluster).toMatchObject({ policy: null, conditions: [] });
  });
});

describe('the page of a service', () => {
  test('has a point for each reading after the first, sent once', async () => {
    const page = createServicePage(PLACE, factsOf({ fleet: await told({ early: 100 }) }), NOW_MS);
    expect(page.tick(NOW_MS).point).toBeNull();
    page.read(factsOf({ fleet: await told({ early: 150, backbone: 50 }) }), NOW_MS + 2_000);
    const { picture, point } = page.tick(NOW_MS + 2_100);
    expect(point).toMatchObject({ rowsPerSecond: 50, exitRows: [50, 0, 0, 50] });
    expect(picture.totals.rowsPerSecond).toBe(50);
    expect(picture.exits.map(({ rowsPerSecond }) => rowsPerSecond)).toEqual([25, 0, 0, 25]);
    expect(page.tick(NOW_MS + 3_100).point).toBeNull();
    expect(pageStateSchema.parse(page.state(NOW_MS + 3_100)).history).toHaveLength(1);
  });

  test('has no point of pods that nobody could ask', async () => {
    const page = pageOf({ fleet: await told({ early: 100 }) });
    page.read(factsOf({ fleet: NO_PODS }), NOW_MS + 2_000);
    expect(page.tick(NOW_MS + 2_000).point).toBeNull();
    expect(page.state(NOW_MS + 2_000).history).toEqual([]);
  });

  test('tells of figures that are old, since when and why, until it is read again', () => {
    const page = pageOf();
    page.failed('Nothing listens there.');
    const stale = { sinceSeconds: AGE_SECONDS, why: 'Nothing listens there.' };
    expect(page.tick(NOW_MS + 60_000).picture.cluster?.stale).toEqual(stale);
    page.read(factsOf(), NOW_MS + 62_000);
    expect(page.tick(NOW_MS + 62_000).picture.cluster?.stale).toBeNull();
    expect(page.tick(NOW_MS + 72_000).picture.cluster?.stale).toEqual({
      sinceSeconds: AGE_SECONDS + 62,
      why: 'The API server (https://10.0.0.1:6443) has not answered since.',
    });
  });

  test('keeps what a deleted service was, and shows the next one of its name', () => {
    const page = pageOf();
    page.deleted(NOW_MS + 2_000);
    const { picture } = page.tick(NOW_MS + 2_000);
    expect(picture).toMatchObject({ status: 'Deleted', exitsAre: { on: true } });
    expect(picture.message).toContain('has ml/vision no more');
    page.read(factsOf({ status: COLLECTING, ledger: aLedger() }), NOW_MS + 4_000);
    expect(page.tick(NOW_MS + 4_000).picture).toMatchObject({
      status: 'Running',
      exitsAre: { on: false },
    });
  });

  test('follows the stages that it sees', () => {
    const page = pageOf({ ledger: aLedger({ stageSinceMs: NOW_MS - 60_000 }), status: COLLECTING });
    const training = aLedger({ stage: 'Training', stageSinceMs: NOW_MS + 1_000 });
    page.read(factsOf({ status: COLLECTING, ledger: training }), NOW_MS + 2_000);
    expect(page.tick(NOW_MS + 2_000).picture.timeline).toEqual([
      {
        ...{ stage: 'Collect', share: null },
        ...{ startSeconds: AGE_SECONDS - 60, endSeconds: AGE_SECONDS + 1 },
      },
      { stage: 'Train', share: null, startSeconds: AGE_SECONDS + 1, endSeconds: null },
    ]);
  });
});
