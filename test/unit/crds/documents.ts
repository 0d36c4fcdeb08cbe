import type { Acknowledgement } from '../../../crds/wire/acknowledgement.ts';
import type { EvidenceAnswer, EvidenceWindow } from '../../../crds/wire/evidence.ts';
import { encodeHalf } from '../../../crds/wire/half-float.ts';
import type { BundleHead, HeadBundle } from '../../../crds/wire/head-bundle.ts';
import { LAMBDA_COUNT } from '../../../crds/wire/lambda-grid.ts';
import type { Policy, PolicyCandidate, PolicyTrack } from '../../../crds/wire/policy.ts';
import type { SampleBatch } from '../../../crds/wire/samples.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import { createEvidenceGrid } from '../../../server/core/evidence.ts';
import { seededRandom } from '../../support/seeded-random.ts';

/** Small complete documents for the tests of the parsers. */

export const DIGEST_A = `sha256:${'a'.repeat(64)}`;
export const DIGEST_B = `sha256:${'b'.repeat(64)}`;
export const DIGEST_C = `sha256:${'c'.repeat(64)}`;

export function aTrack(changes: Partial<PolicyTrack> = {}): PolicyTrack {
  return {
    headRevision: DIGEST_B,
    lambdaIndex: 68,
    certificate: {
      audits: 3012,
      disagreements: 12,
      dispersion: 1.5,
      attempt: 1,
      look: 2,
      backboneDigest: DIGEST_A,
    },
    activeExits: ['early', 'late'],
    ...changes,
  };
}

export function aCandidate(changes: Partial<PolicyCandidate> = {}): PolicyCandidate {
  return {
    ...aTrack({ headRevision: DIGEST_C, activeExits: ['early'] }),
    share: 0.25,
    stage: 'Ramping',
    stickyHeader: 'x-tenant',
    stickyKey: 'key-1',
    bundleUri: 's3://heads/vision',
    ...changes,
  };
}

export function aPolicy(changes: Partial<Policy> = {}): Policy {
  return {
    schemaVersion: 1,
    epoch: 3,
    revision: 17,
    model: 'vision',
    backboneDigest: DIGEST_A,
    exitsEnabled: true,
    budget: 0.01,
    confidence: 0.95,
    exits: [
      { name: 'early', tensor: 'block2/out', mode: 'Active' },
      { name: 'late', tensor: 'block4/out', mode: 'Active' },
      { name: 'small', modelDigest: DIGEST_C, mode: 'Shadow' },
    ],
    stable: aTrack(),
    candidate: aCandidate(),
    auditRate: 0.02,
    maxAgeSeconds: 300,
    limits: {
      maxBatchSize: 32,
      maxQueueDelayMs: 2,
      maxQueueLength: 1024,
      maxRequestBytes: 16_777_216,
      maxConcurrentRequests: 256,
      requestTimeoutMs: 30_000,
    },
    ...changes,
  };
}

export function anAcknowledgement(changes: Partial<Acknowledgement> = {}): Acknowledgement {
  return {
    schemaVersion: 1,
    podUid: 'pod-1',
    bootId: 'boot-1',
    epoch: 3,
    revision: 17,
    headRevisions: [DIGEST_B],
    backboneDigest: DIGEST_A,
    result: 'Applied',
    reason: 'CandidateMissing',
    message: 'the candidate’s bundle is not here yet',
    knownAnswers: [{ headRevision: DIGEST_B, classes: [[1, 2, 3]] }],
    ...changes,
  };
}

const float32 = (values: readonly number[]): Float32Array => Float32Array.from(values);

export function aHead(changes: Partial<BundleHead> = {}): BundleHead {
  return {
    exit: 'early',
    tensor: 'blöck/out',
    modelDigest: null,
    pool: 1,
    hidden: 0,
    featureCount: 3,
    mean: float32([0, 0.5, -1]),
    scale: float32([1, 2, 0.25]),
    w1: {
      type: 'int8',
      rows: 3,
      columns: 2,
      values: Int8Array.of(-128, -1, 0, 1, 64, 127),
      scales: float32([0.5, 0.0078125]),
    },
    b1: float32([0.125, -0.125]),
    w2: null,
    b2: null,
    score: { features: ['logitMax'], mean: [0.1], scale: [1.5], weights: [2], intercept: -0.5 },
    temperature: 1.25,
    knownAnswers: {
      seed: 7,
      classes: Array.from({ length: 16 }, (_, i) => i % 2),
      scoreLogits: Array.from({ length: 16 }, (_, i) => i / 8 - 1),
    },
    ...changes,
  };
}

/** A head of 2 -> 64 -> 2 in half floats. */
export function aDeepHead(): BundleHead {
  const halves = (count: number): Uint16Array =>
    encodeHalf(Float32Array.from({ length: count }, (_, i) => (i % 7) - 3));
  return aHead({
    exit: 'late',
    tensor: 'block4/out',
    hidden: 64,
    featureCount: 2,
    mean: float32([0, 0]),
    scale: float32([1, 1]),
    w1: { type: 'float16', rows: 2, columns: 64, values: halves(128) },
    b1: new Float32Array(64),
    w2: { type: 'float16', rows: 64, columns: 2, values: halves(128) },
    b2: float32([0, 1]),
  });
}

export function aCompanion(): BundleHead {
  return aHead({
    exit: 'small',
    tensor: null,
    modelDigest: DIGEST_C,
    featureCount: 2,
    mean: new Float32Array(0),
    scale: new Float32Array(0),
    w1: null,
    b1: null,
  });
}

export function aBundle(changes: Partial<HeadBundle> = {}): HeadBundle {
  return {
    schemaVersion: 1,
    backboneDigest: DIGEST_A,
    classCount: 2,
    heads: [aHead()],
    training: {
      trainerVersion: '0.1.0',
      seed: 1,
      sampleDigest: DIGEST_B,
      costDigest: DIGEST_C,
      trainingRows: 8000,
      validationRows: 2000,
      validationDisagreements: 14,
      samplesUntil: [{ podUid: 'pod-1', bootId: 'boot-1', seq: 10_000 }],
      exits: [{ exit: 'early', auroc: 0.91, agreement: 0.83, coverage: 0.4 }],
      parent: null,
    },
    ...changes,
  };
}

export function aBatch(changes: Partial<SampleBatch> = {}): SampleBatch {
  return {
    schemaVersion: 1,
    podUid: 'pod-1',
    bootId: 'boot-1',
    part: 'long',
    backboneDigest: DIGEST_A,
    classCount: 2,
    topCount: 2,
    exits: [
      {
        name: 'early',
        tensor: 'block2/out',
        modelDigest: null,
        pool: 2,
        channels: 1,
        height: 5,
        width: 7,
        featureCount: 4,
      },
    ],
    rowCount: 3,
    rowsSeen: 9,
    nextAfter: 8,
    sequence: Float64Array.of(2, 5, 8),
    minute: Uint32Array.of(0, 0, 1),
    teacherClass: Uint32Array.of(0, 1, 1),
    teacherTopClasses: new Uint32Array(0),
    teacherLogProbabilities: float32([-0.1, -2.4, -3, -0.05, -1, -0.5]),
    features: [encodeHalf(Float32Array.from({ length: 12 }, (_, i) => i / 4))],
    ...changes,
  };
}

/** A batch of one row of a backbone with 200 classes, so that the 64 commonest are named. */
export function aWideBatch(): SampleBatch {
  return aBatch({
    classCount: 200,
    topCount: 64,
    rowCount: 1,
    nextAfter: 2,
    sequence: Float64Array.of(2),
    minute: Uint32Array.of(0),
    teacherClass: Uint32Array.of(199),
    teacherTopClasses: Uint32Array.from({ length: 64 }, (_, i) => 199 - i),
    teacherLogProbabilities: Float32Array.from({ length: 64 }, (_, i) => -i),
    features: [new Uint16Array(4)],
  });
}

/** A grid of seeded rows: later exits are surer and agree more often. */
export function aGrid(exitCount: number, rows: number, seed = 1): EvidenceWindow['grid'] {
  const random = seededRandom(seed);
  const counter = createEvidenceGrid(exitCount);
  for (let row = 0; row < rows; row++) {
    const difficulty = random.normal();
    const scores: number[] = [];
    const agrees: boolean[] = [];
    for (let exit = 0; exit < exitCount; exit++) {
      const logit = 2 + exit - 2 * difficulty + random.normal();
      scores.push(1 / (1 + Math.exp(-logit)));
      agrees.push(random.chance(1 / (1 + Math.exp(-logit - 1))));
    }
    counter.addRow(scores, agrees);
  }
  return counter.snapshot();
}

export function exitNamesOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `exit-${i}`);
}

function aJointTable(): number[][] {
  return [
    [1, 0, 2],
    [3, 4, 0],
    [0, 0, 5],
  ];
}

export function aWindow(changes: Partial<EvidenceWindow> = {}): EvidenceWindow {
  const exits = ['early', 'late'];
  return {
    schemaVersion: 1,
    podUid: 'pod-1',
    bootId: 'boot-1',
    seq: 5,
    backboneDigest: DIGEST_A,
    headRevision: DIGEST_B,
    track: 'candidate',
    epoch: 3,
    policyRevision: 17,
    lambdaIndex: 68,
    share: 0.25,
    exitsEnabled: true,
    exits,
    durationSeconds: 10,
    grid: aGrid(2, 60),
    strata: [
      { exit: 'early', classId: -1, audits: 3, disagreements: 1 },
      { exit: 'early', classId: 4, audits: 2, disagreements: 0 },
      { exit: 'late', classId: 0, audits: 1, disagreements: 0 },
    ],
    paired: {
      stableHeadRevision: DIGEST_C,
      stableExits: ['a', 'b'],
      stableLambdaIndex: 60,
      candidateLambdaIndex: 68,
      joint: aJointTable(),
      onlyStableWrong: 1,
      onlyCandidateWrong: 2,
    },
    served: {
      rows: [30, 20, 50],
      optedOut: 4,
      forced: 1,
      errors: 0,
      numericFallbacks: 2,
      latency: [
        [
          [-3, 1],
          [350, 29],
        ],
        [[400, 20]],
        [],
      ],
      scoreBins: exits.map((_, e) => Array.from({ length: 16 }, (_unused, i) => i * (e + 1))),
    },
    compute: { segment: 1.5, head: 0.1, companion: 0, compact: 0.01, audit: 0.2, plain: 2.5 },
    auditsChosen: 61,
    auditsLost: 1,
    auditRate: 0.5,
    switchedOff: ['late'],
    ...changes,
  };
}

/** A window before there are heads: counters only. */
export function aPlainWindow(seq = 6): EvidenceWindow {
  return aWindow({
    seq,
    headRevision: null,
    track: null,
    lambdaIndex: null,
    exits: [],
    grid: { n: 0, dis: new Array<number>(LAMBDA_COUNT).fill(0), leave: [] },
    strata: [],
    paired: null,
    served: {
      rows: [12],
      optedOut: 0,
      forced: 0,
      errors: 0,
      numericFallbacks: 0,
      latency: [[[300, 12]]],
      scoreBins: [],
    },
    compute: null,
    switchedOff: [],
  });
}

export function anAnswer(changes: Partial<EvidenceAnswer> = {}): EvidenceAnswer {
  return {
    schemaVersion: 1,
    podUid: 'pod-1',
    bootId: 'boot-1',
    oldestSeq: 5,
    newestSeq: 6,
    stateDigest: DIGEST_C,
    acknowledgement: anAcknowledgement(),
    windows: [aWindow(), aPlainWindow()],
    ...changes,
  };
}

export function aState(changes: Partial<ServerState> = {}): ServerState {
  return {
    schemaVersion: 1,
    version: '0.1.0',
    podUid: 'pod-1',
    bootId: 'boot-1',
    model: 'vision',
    ready: true,
    engine: {
      kind: 'ONNX',
      device: 'CPU',
      threads: 2,
      versions: { node: '20.20.0', onnxruntime: '1.30.0' },
      skipped: [{ engine: 'TFJSGPU', reason: 'not installed' }],
    },
    backbone: {
      digest: DIGEST_A,
      format: 'ONNX',
      sizeBytes: 1_000_000,
      macs: 150_000_000,
      classCount: 10,
      outputName: 'logits',
      outputProblem: null,
      outputKind: 'Logits',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 28, 28, 1] }],
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 10] }],
      labels: ['shirt', 'shoe'],
    },
    cuts: [
      {
        tensor: 'block2/out',
        macsShare: 0.3,
        msShare: 0.35,
        channels: 32,
        height: 14,
        width: 14,
        pool: 4,
      },
    ],
    rejectedCuts: [{ tensor: 'flatten', reason: 'its batch axis is not first' }],
    headCost: { fixedMs: 0.02, msPerMillionMacs: 0.3 },
    costs: {
      batchSizes: [1, 8],
      cuts: ['block2/out'],
      plainMs: [3, 20],
      segmentMs: [
        [1, 2],
        [7, 13],
      ],
      headMs: [[0.05], [0.2]],
      compactMs: [[0], [0.1]],
    },
    policySchemaVersions: [1],
    policy: { epoch: 3, revision: 17, exitsEnabled: true },
    acknowledgement: anAcknowledgement(),
    heads: [{ headRevision: DIGEST_B, sizeBytes: 100_000, inUse: true }],
    switchedOff: [{ exit: 'late', cause: 'numeric' }],
    companions: [
      { name: 'small', code: 'CompanionLoadFailed', message: 'This image runs no companions.' },
    ],
    samples: { long: 100, recent: 50, seen: 120 },
    queue: { rows: 0, capacity: 1024, modalBatchRows: 8 },
    memory: { rssBytes: 100_000_000, engineRssBytes: 200_000_000, activations: 0 },
    ...changes,
  };
}
