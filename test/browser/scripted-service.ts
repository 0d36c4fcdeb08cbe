import { readServiceView } from '../../operator/commands/service/read-service-view.ts';
import type { EventView } from '../../operator/commands/service/service-view.ts';
import type { DashboardFacts } from '../../operator/commands/dashboard/dashboard-facts.ts';
import type { PodReading } from '../../operator/commands/dashboard/fleet.ts';
import { readPodCounts } from '../../operator/commands/dashboard/pod-counts.ts';
import {
  createServicePage,
  type ServicePage,
} from '../../operator/commands/dashboard/service-page.ts';
import type { PageState } from '../../operator/local/page/state/page-state.ts';
import { addTick, emptyBlocks } from '../../operator/stats/dispersion.ts';
import { aGrid } from '../support/builders.ts';
import {
  anAttempt,
  aCandidate,
  aLedger,
  aServingLedger,
  aStable,
} from '../support/ledger-builders.ts';
import { createPlayedPod, type PlayedPod } from '../support/played-pod.ts';
import {
  aCondition,
  ago,
  aServiceObject,
  COLLECTING,
  NOW_MS,
  SERVING,
} from '../support/service-objects.ts';

/** States of a service that its page is looked at in. */
export const SERVICE_SCENES = [
  'serving',
  'collecting',
  'unseen',
  'stale',
  'deleted',
  'unready',
] as const;

export type ServiceScene = (typeof SERVICE_SCENES)[number];

const READINGS = 60;
const READ_SECONDS = 2;

/** The page of a service after two minutes: all but the figures of the pods is what the API server holds. */
export async function serviceSceneOf(scene: ServiceScene): Promise<PageState> {
  const pods = ['vision-6d4f9b7c58-2xk9m', 'vision-6d4f9b7c58-w7qzt'].map(
    (name, i) => [name, createPlayedPod(i + 1)] as const,
  );
  const factsOf = FACTS[scene];
  let page: ServicePage | null = null;
  const startMs = NOW_MS - 1_000 * READ_SECONDS * READINGS;
  for (let i = 0; i <= READINGS; i++) {
    const nowMs = startMs + 1_000 * READ_SECONDS * i;
    for (const [, pod] of pods) answer(pod, i, scene !== 'collecting');
    const facts = factsOf(await Promise.all(pods.map(readPod)));
    if (page === null) page = createServicePage(PLACE, facts, nowMs);
    else page.read(facts, nowMs);
  }
  if (page === null) throw new Error('nothing was read');
  if (scene === 'deleted') page.deleted(NOW_MS);
  if (scene === 'stale') {
    page.failed(
      'The API server does not answer (https://10.0.0.1:6443): nothing listens there. Check the network, and the address in the kubeconfig.',
    );
  }
  return page.state(scene === 'stale' ? NOW_MS + 95_000 : NOW_MS);
}

const PLACE = { context: 'production', server: 'https://10.0.0.1:6443' };

function answer(pod: PlayedPod, i: number, areExitsOn: boolean): void {
  const rows = Math.round(100 + 20 * Math.sin(i / 9));
  const [early, late] = areExitsOn ? [0.31, 0.3] : [0, 0];
  pod.serve({
    early: Math.round(rows * early),
    late: Math.round(rows * late),
    backbone: Math.round(rows * (1 - early - late)),
  });
  if (i === 40) pod.fail('queue_full', 3);
}

async function readPod([name, pod]: readonly [string, PlayedPod]): Promise<PodReading> {
  return { name, isReady: true, counts: readPodCounts(await pod.page()) };
}

type ToFacts = (pods: readonly PodReading[]) => DashboardFacts;

/** 5,210 audited rows in forty blocks, 21 of them wrong above the lambda in force. */
function evidence() {
  let blocks = emptyBlocks(2);
  for (let i = 0; i < 40; i++) blocks = addTick(blocks, curvedGrid(130, i % 2));
  return anAttempt({ blocks, answeredRows: 260_000 });
}

function curvedGrid(audits: number, wrong: number): ReturnType<typeof aGrid> {
  const { dis, leave, n } = aGrid(audits, wrong);
  return {
    n,
    dis: dis.map((count, j) => Math.min(count + Math.floor((j / 119) ** 4 * 12), n)),
    leave: leave.map((column, e) =>
      column.map((_, j) => Math.floor((n / 2) * Math.min(1, 0.25 + (j / 119) * 0.8 - e * 0.1))),
    ),
  };
}

const EVENTS: readonly EventView[] = [
  event('RolloutPromoted', 'The candidate passed its last step and serves all traffic.', 2_100),
  event('RolloutStepAdvanced', 'The candidate takes 100% of the traffic.', 2_400),
  event('RolloutStepAdvanced', 'The candidate takes 50% of the traffic.', 2_700),
  event('RolloutStarted', 'The candidate takes 5% of the traffic.', 3_300),
  event('Certified', 'Lambda 0.0123 at look 2: 2 of 3,012 audited rows disagree.', 3_320),
];

function event(reason: string, note: string, secondsAgo: number): EventView {
  return { type: 'Normal', reason, note, time: ago(secondsAgo), count: 1 };
}

const serving: ToFacts = (pods) => ({
  service: readServiceView(aServiceObject({ status: SERVING })),
  ledger: {
    ledger: aServingLedger({
      stageSinceMs: NOW_MS - 2_100_000,
      stable: aStable({ evidence: evidence() }),
    }),
    problem: null,
  },
  policy: null,
  events: EVENTS,
  fleet: { pods, podCount: pods.length, problem: null },
});

const collecting: ToFacts = (pods) => ({
  ...serving(pods),
  service: readServiceView(aServiceObject({ status: COLLECTING })),
  ledger: { ledger: aLedger({ stageSinceMs: NOW_MS - 400_000 }), problem: null },
  events: [],
});

const unseen: ToFacts = () => ({
  ...serving([]),
  ledger: { ledger: null, problem: 'this user may not read ConfigMap vision-evidence' },
  events: null,
  fleet: {
    pods: [],
    podCount: 0,
    problem:
      'This user may not list pods in namespace ml, so what pods count is not shown. ClusterRole edit there has that right.',
  },
});

const unready: ToFacts = (pods) => {
  const conditions = (SERVING.conditions as { type: string }[]).filter(
    ({ type }) => type !== 'Ready',
  );
  const why = '1 of 2 pods cannot load the backbone: the digest differs. Correct backbone.digest.';
  const status = {
    ...SERVING,
    conditions: [aCondition('Ready', 'False', 'BackboneDigestMismatch', why), ...conditions],
  };
  const [first, second] = pods;
  const silent = [first!, { ...second!, isReady: false, counts: null }];
  return {
    ...serving(pods),
    service: readServiceView(aServiceObject({ status })),
    ledger: {
      ledger: aServingLedger({ candidate: aCandidate(), stageSinceMs: NOW_MS - 2_100_000 }),
      problem: null,
    },
    fleet: { pods: silent, podCount: 14, problem: null },
  };
};

const FACTS: Readonly<Record<ServiceScene, ToFacts>> = {
  ...{ serving, collecting, unseen, unready },
  stale: serving,
  deleted: serving,
};
