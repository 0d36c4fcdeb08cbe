import { createHash } from 'node:crypto';
import { encodeHalf } from '../../crds/wire/half-float.ts';
import {
  encodeHeadBundle,
  type BundleHead,
  type BundleMatrix,
} from '../../crds/wire/head-bundle.ts';
import type { Policy } from '../../crds/wire/policy.ts';
import type { CutReport, ServerState } from '../../crds/wire/state.ts';
import { answerKnownRows } from '../../server/core/known-answer.ts';
import { toHeadWeights } from '../../server/core/head.ts';
import { createRandom } from '../../server/core/random.ts';

/** Heads with seeded random weights; `intercept` of the score decides whether rows leave: -50 never, 50 always. */
export interface RandomHeads {
  readonly headRevision: string;
  readonly bytes: Uint8Array;
  readonly exits: readonly string[];
}

export interface RandomHeadsOptions {
  readonly tensors: readonly string[];
  readonly hidden: BundleHead['hidden'];
  readonly intercept: number;
  readonly seed: number;
}

export function randomHeads(state: ServerState, options: RandomHeadsOptions): RandomHeads {
  const { classCount, digest } = state.backbone;
  const heads = options.tensors.map((tensor, index) => {
    const cut = state.cuts.find((candidate) => candidate.tensor === tensor);
    if (cut === undefined) {
      throw new Error(
        `${tensor} is no cut; there are ${state.cuts.map((c) => c.tensor).join(', ')}`,
      );
    }
    return randomHead(cut, classCount, { ...options, seed: options.seed + index });
  });
  const bytes = encodeHeadBundle({
    schemaVersion: 1,
    backboneDigest: digest,
    classCount,
    heads,
    training: {
      trainerVersion: 'bench',
      seed: options.seed,
      sampleDigest: `sha256:${'0'.repeat(64)}`,
      costDigest: `sha256:${'0'.repeat(64)}`,
      trainingRows: 0,
      validationRows: 0,
      validationDisagreements: 0,
      samplesUntil: [],
      exits: heads.map(({ exit }) => ({ exit, auroc: 0.5, agreement: 0.5, coverage: 0 })),
      parent: null,
    },
  });
  return {
    headRevision: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    bytes,
    exits: heads.map(({ exit }) => exit),
  };
}

function randomHead(cut: CutReport, classCount: number, options: RandomHeadsOptions): BundleHead {
  const random = createRandom(options.seed);
  const { pool, channels, tensor } = cut;
  const featureCount = pool * pool * channels;
  const matrix = (rows: number, columns: number): BundleMatrix => ({
    type: 'float16',
    rows,
    columns,
    values: encodeHalf(
      Float32Array.from({ length: rows * columns }, () => random.normal() * Math.sqrt(2 / rows)),
    ),
  });
  const width = options.hidden === 0 ? classCount : options.hidden;
  const head: Omit<BundleHead, 'knownAnswers'> = {
    exit: tensor.toLowerCase(),
    tensor,
    modelDigest: null,
    pool,
    hidden: options.hidden,
    featureCount,
    mean: new Float32Array(featureCount),
    scale: new Float32Array(featureCount).fill(1),
    w1: matrix(featureCount, width),
    b1: new Float32Array(width),
    w2: options.hidden === 0 ? null : matrix(width, classCount),
    b2: options.hidden === 0 ? null : new Float32Array(classCount),
    score: {
      features: ['logitMax'],
      mean: [0],
      scale: [1],
      weights: [0.01],
      intercept: options.intercept,
    },
    temperature: 1,
  };
  const empty = { seed: options.seed, classes: [], scoreLogits: [] };
  const weights = toHeadWeights({ ...head, knownAnswers: empty }, classCount);
  return { ...head, knownAnswers: answerKnownRows(weights, head.score, options.seed) };
}

/** A policy that puts the heads in force at the smallest lambda, on counts that certify it. */
export function policyFor(state: ServerState, heads: RandomHeads, revision: number): Policy {
  return {
    schemaVersion: 1,
    epoch: 1,
    revision,
    model: state.model,
    backboneDigest: state.backbone.digest,
    exitsEnabled: true,
    budget: 0.01,
    confidence: 0.95,
    exits: heads.exits.map((name, index) => ({
      name,
      tensor: tensorOf(state, heads, index),
      mode: 'Active',
    })),
    stable: {
      headRevision: heads.headRevision,
      lambdaIndex: 0,
      certificate: {
        audits: 10_000,
        disagreements: 0,
        dispersion: 1,
        attempt: 1,
        look: 3,
        backboneDigest: state.backbone.digest,
      },
      activeExits: heads.exits,
    },
    candidate: null,
    auditRate: 0,
    maxAgeSeconds: 3_600,
    limits: {
      maxBatchSize: 32,
      // The API's default, as on the server without a policy.
      maxQueueDelayMs: 2,
      maxQueueLength: 1_024,
      maxRequestBytes: 16 * 1024 * 1024,
      maxConcurrentRequests: 256,
      requestTimeoutMs: 30_000,
    },
  };
}

function tensorOf(state: ServerState, heads: RandomHeads, index: number): string {
  const exit = heads.exits[index];
  return state.cuts.find((cut) => cut.tensor.toLowerCase() === exit)?.tensor ?? '';
}
