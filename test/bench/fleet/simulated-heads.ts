import type { HeadBundle } from '../../../crds/wire/head-bundle.ts';
import { encodeHeadBundle, parseHeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { Policy } from '../../../crds/wire/policy.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import { definedAnswers } from '../../../server/core/known-answer.ts';
import { BACKBONE_DIGEST } from '../../support/builders.ts';
import {
  calibratedScores,
  drawRows,
  pathCost,
  type ScoreOf,
} from '../../support/exit-simulation.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { EXITS } from '../../support/simulated-fleet.ts';

export const CLASS_COUNT = 10;
const FEATURES = 2;
const PLAIN_MS = 10;

/** Exits of every simulated service. */
export const FLEET_EXITS = EXITS.map((name) => ({ name, tensor: `${name}_out` }));

const shareBefore = (exit: number): number => pathCost(exit);

/** The cuts of the simulated backbone, as a server's state tells them. */
export const CUTS: Pick<ServerState, 'cuts' | 'rejectedCuts' | 'costs'> = {
  cuts: FLEET_EXITS.map(({ tensor }, exit) => ({
    tensor,
    macsShare: shareBefore(exit),
    msShare: shareBefore(exit),
    ...{ channels: FEATURES, height: 8, width: 8, pool: 1 as const },
  })),
  rejectedCuts: [],
  costs: {
    batchSizes: [1],
    cuts: FLEET_EXITS.map(({ tensor }) => tensor),
    plainMs: [PLAIN_MS],
    segmentMs: [
      [...FLEET_EXITS.keys(), FLEET_EXITS.length].map(
        (segment) =>
          PLAIN_MS *
          ((segment === FLEET_EXITS.length ? 1 : shareBefore(segment)) -
            (segment === 0 ? 0 : shareBefore(segment - 1))),
      ),
    ],
    headMs: [FLEET_EXITS.map(() => 0.05)],
    compactMs: [FLEET_EXITS.map(() => 0)],
  },
};

/** Heads of all four exits as a file; `mark` tells revisions apart. */
export function simulatedBundle(mark: number): Uint8Array {
  const random = seededRandom([7, mark]);
  const unanswered: HeadBundle = {
    schemaVersion: 1,
    backboneDigest: BACKBONE_DIGEST,
    classCount: CLASS_COUNT,
    heads: FLEET_EXITS.map(({ name, tensor }) => ({
      ...{ exit: name, tensor, modelDigest: null, pool: 1, hidden: 0, featureCount: FEATURES },
      mean: new Float32Array(FEATURES),
      scale: new Float32Array(FEATURES).fill(1),
      w1: {
        ...{ type: 'int8', rows: FEATURES, columns: CLASS_COUNT },
        values: Int8Array.from({ length: FEATURES * CLASS_COUNT }, () =>
          Math.round(100 * (2 * random.uniform() - 1)),
        ),
        scales: new Float32Array(CLASS_COUNT).fill(0.01),
      },
      b1: new Float32Array(CLASS_COUNT),
      ...{ w2: null, b2: null },
      score: { features: ['logitMax'], mean: [0], scale: [1], weights: [1], intercept: 0 },
      temperature: 1,
      knownAnswers: { seed: mark, classes: [], scoreLogits: [] },
    })),
    training: {
      ...{ trainerVersion: '0.1.0', seed: mark, parent: null, samplesUntil: [] },
      ...{ sampleDigest: BACKBONE_DIGEST, costDigest: BACKBONE_DIGEST },
      ...{ trainingRows: 8_000, validationRows: 2_000, validationDisagreements: 14 },
      exits: EXITS.map((exit) => ({ exit, auroc: 0.9, agreement: 0.9, coverage: 0.5 })),
    },
  };
  const heads = unanswered.heads.map((head) => ({
    ...head,
    knownAnswers: definedAnswers(head, CLASS_COUNT),
  }));
  return encodeHeadBundle({ ...unanswered, heads });
}

/** What the pods of one process know of bundles: each is read once, however many pods hold it. */
export interface KnownHeads {
  learn(headRevision: string, bytes: Uint8Array): void;
  /** The classes of its heads on its known rows, one list per exit. */
  answersOf(headRevision: string): readonly (readonly number[])[];
}

export function createKnownHeads(): KnownHeads {
  const answers = new Map<string, readonly (readonly number[])[]>();
  return {
    learn: (headRevision, bytes) => {
      if (answers.has(headRevision)) return;
      const parsed = parseHeadBundle(bytes);
      if (!parsed.ok)
        throw new Error(`a bundle was pushed that no server reads: ${parsed.message}`);
      const { heads, classCount } = parsed.value;
      const classes = heads.map((head) => definedAnswers(head, classCount).classes);
      answers.set(headRevision, classes);
    },
    answersOf: (headRevision) => answers.get(headRevision) ?? [],
  };
}

let fitted: ScoreOf | null = null;

/** Scores of the heads that a policy names: all heads are as good, fitted once as a trainer fits them. */
export function scoresOf(policy: Policy | null): ReadonlyMap<string, ScoreOf> {
  const named = [policy?.stable, policy?.candidate].flatMap((track) => track?.headRevision ?? []);
  if (named.length === 0) return new Map();
  fitted ??= calibratedScores(drawRows(seededRandom([7, 0]), 2_000));
  const scoreOf = fitted;
  return new Map(named.map((headRevision) => [headRevision, scoreOf]));
}
