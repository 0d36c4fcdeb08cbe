// Values of the contract that say only what matters to a test; everything else is ordinary and quiet.
import { LAMBDA_COUNT } from '../../crds/wire/lambda-grid.ts';
import type { Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import type { EvidenceGrid, EvidenceWindow, ServedCounters } from '../../crds/wire/evidence.ts';
import type { ServiceSettings } from '../../crds/v1alpha1/settings.ts';
import type {
  BackboneFacts,
  HeadRevisionFacts,
  LifecycleInput,
  PodReport,
} from '../../operator/lifecycle/types.ts';

/** `sha256:` and the number in hexadecimal, padded. */
export function aDigest(number: number): string {
  return `sha256:${number.toString(16).padStart(64, '0')}`;
}

export const START_MS = 1_800_000_000_000;
export const BACKBONE_DIGEST = aDigest(0xb0);
export const REVISION = aDigest(0xa1);
export const EXITS = ['early', 'late'];

/** Settings of the smallest manifest at 1 %, with a ramp of 25 and 100 % without holds. */
export function aService(fields: Partial<ServiceSettings> = {}): ServiceSettings {
  return {
    model: 'example',
    budget: 0.01,
    confidence: 0.95,
    agreement: 'Strict',
    auditRate: 0.02,
    minAudits: 1_000,
    exitMode: 'Active',
    maxActiveExits: 3,
    minSaving: 0.03,
    maxOverhead: 0.05,
    steps: [
      { share: 0.25, holdMs: 0 },
      { share: 1, holdMs: 0 },
    ],
    minRequests: 100,
    checks: [
      { type: 'ErrorRate', maxRegression: 0.001 },
      { type: 'LatencyP99', maxRegression: 0.05 },
    ],
    rollsOut: true,
    paused: false,
    stepDeadlineMs: 21_600_000,
    onInconclusive: 'Hold',
    loadDeadlineMs: 900_000,
    trainingMode: 'Auto',
    triggers: ['Alarm', 'SavingLoss', 'NewData'],
    cooldownMs: 900_000,
    maxAgeSeconds: 300,
    limits: {
      maxBatchSize: 32,
      maxQueueDelayMs: 2,
      maxQueueLength: 1024,
      maxRequestBytes: 16_777_216,
      maxConcurrentRequests: 256,
      requestTimeoutMs: 30_000,
    },
    ...fields,
  };
}

/** A backbone with two Active exits, or those named. */
export function aBackbone(fields: Partial<BackboneFacts> = {}): BackboneFacts {
  return {
    digest: BACKBONE_DIGEST,
    classCount: 10,
    exits: EXITS.map((name, i) => anExit(name, (i + 1) / 3)),
    ...fields,
  };
}

export function anExit(name: string, share = 0.5): BackboneFacts['exits'][number] {
  return { name, tensor: `${name}_out`, mode: 'Active', macsShare: share, msShare: share };
}

const KNOWN_CLASSES = Array.from({ length: 16 }, (_, row) => row % 10);

/** Heads at early and late that cost a third and two thirds of plain time. */
export function aRevision(fields: Partial<HeadRevisionFacts> = {}): HeadRevisionFacts {
  const exits = fields.exits ?? EXITS;
  return {
    headRevision: REVISION,
    exits,
    knownAnswers: exits.map(() => KNOWN_CLASSES),
    pathCost: [...exits.map((_, i) => (i + 1) / (exits.length + 1)), 1.02],
    ...fields,
  };
}

/** What a pod says that runs this policy with these heads, verified. */
export function anAcknowledgement(
  revisions: readonly HeadRevisionFacts[] = [],
  fields: Partial<Acknowledgement> = {},
): Acknowledgement {
  return {
    schemaVersion: 1,
    podUid: 'pod-a',
    bootId: 'boot-1',
    epoch: 1,
    revision: 1,
    headRevisions: revisions.map(({ headRevision }) => headRevision),
    backboneDigest: BACKBONE_DIGEST,
    result: 'Applied',
    reason: '',
    message: '',
    knownAnswers: revisions.map(({ headRevision, knownAnswers }) => ({
      headRevision,
      classes: knownAnswers,
    })),
    ...fields,
  };
}

/** A ready pod without windows. */
export function aPod(fields: Partial<PodReport> = {}): PodReport {
  return {
    podUid: 'pod-a',
    bootId: 'boot-1',
    ready: true,
    acknowledgement: anAcknowledgement(),
    windows: [],
    droppedSeqs: [],
    oldestSeq: 1,
    samples: { long: 0, recent: 0, seen: 0 },
    exitsEnabled: false,
    costs: null,
    ...fields,
  };
}

/** A grid in which `leaving` rows leave at the first exit from `from` on, `disagreements` of them wrongly; nothing leaves below. */
export function aGrid(
  audits: number,
  disagreements: number,
  fields: { readonly leaving?: number; readonly exits?: number; readonly from?: number } = {},
): EvidenceGrid {
  const {
    leaving = Math.max(disagreements, Math.floor(0.6 * audits)),
    exits = 2,
    from = 0,
  } = fields;
  const column = (value: number): number[] =>
    Array.from({ length: LAMBDA_COUNT }, (_, j) => (j >= from ? value : 0));
  const leave = Array.from({ length: exits }, (_, exit) => column(exit === 0 ? leaving : 0));
  return { n: audits, dis: column(disagreements), leave };
}

export interface WindowFields extends Partial<Omit<EvidenceWindow, 'served'>> {
  readonly audits?: number;
  readonly disagreements?: number;
  readonly served?: Partial<ServedCounters>;
}

/** A stable window in which all audited rows left early at every lambda. */
export function anEvidenceWindow(fields: WindowFields = {}): EvidenceWindow {
  const { audits = 0, disagreements = 0, served, ...rest } = fields;
  const exits = rest.exits ?? EXITS;
  return {
    schemaVersion: 1,
    podUid: 'pod-a',
    bootId: 'boot-1',
    seq: 1,
    backboneDigest: BACKBONE_DIGEST,
    headRevision: REVISION,
    track: 'stable',
    epoch: 1,
    policyRevision: 1,
    lambdaIndex: null,
    share: 1,
    exitsEnabled: false,
    exits,
    durationSeconds: 10,
    grid: aGrid(audits, disagreements, { exits: exits.length }),
    strata: [],
    paired: null,
    compute: null,
    auditsChosen: audits,
    auditsLost: 0,
    auditRate: 1,
    switchedOff: [],
    ...rest,
    served: servedRows(exits.length, 0, served),
  };
}

/** Counters of rows that all ran to the end, in 10 ms each. */
export function servedRows(
  exits: number,
  rows: number,
  fields: Partial<ServedCounters> = {},
): ServedCounters {
  const places = Array.from({ length: exits + 1 }, (_, place) => (place === exits ? rows : 0));
  return {
    rows: places,
    optedOut: 0,
    forced: 0,
    errors: 0,
    numericFallbacks: 0,
    latency: places.map((count) => (count > 0 ? [[465, count] as const] : [])),
    scoreBins: Array.from({ length: exits }, () => new Array<number>(16).fill(0)),
    ...fields,
  };
}

/** A tick of one ready pod that says nothing new. */
export function anInput(fields: Partial<LifecycleInput> = {}): LifecycleInput {
  return {
    nowMs: START_MS,
    settings: aService(),
    backbone: aBackbone(),
    pods: [aPod()],
    silentPods: 0,
    request: null,
    pin: null,
    training: { kind: 'Idle' },
    revisions: [],
    collectRows: 10_000,
    thinAudits: true,
    auditsOff: false,
    published: { epoch: 1, revision: 1 },
    ...fields,
  };
}
