import type { Cache } from './cache.ts';
import { compareRule, randomSplits } from './compare.ts';
import { fullMapHeads, type FullMapHead } from './full-map-heads.ts';
import {
  answeringHead,
  caseAnswers,
  fullMapRule,
  levelRules,
  type TimedRule,
} from './level-rules.ts';
import { measurePaths, type PathTimes } from './path-times.ts';
import { recordCase, type RecordedCase } from './record-features.ts';
import { replayAttempts } from './replay.ts';
import type { CaseResults, LevelResults } from './results.ts';
import { classesOf, matches } from './rules/answers.ts';
import { scoreRows } from './score-rows.ts';
import type { ExitsCase } from './stream.ts';
import { trainCase } from './train-heads.ts';

/** Levels and repetitions of a run. */
export interface Extent {
  readonly levels: readonly number[];
  readonly splits: number;
  /** To certify, each on rows drawn anew. */
  readonly attempts: number;
}

const SEED = 1;

/** Every rule at every level on one backbone and its rows. A level for which no heads pay is left out. */
export async function measureCase(
  exitsCase: ExitsCase,
  extent: Extent,
  cache: Cache,
): Promise<CaseResults> {
  const recorded = await recordCase(exitsCase, cache);
  const { serving, training, labels } = recorded;
  const splits = randomSplits(serving.rowCount, extent.splits, SEED);
  const ofSelfXit = await fullMapHeads(exitsCase, recorded, cache);
  const levels: LevelResults[] = [];
  for (const budget of extent.levels) {
    const level = await measureLevel(exitsCase, {
      recorded,
      ofSelfXit,
      splits,
      budget,
      extent,
      cache,
    });
    if (level !== null) levels.push(level);
  }
  const [split] = splits;
  return {
    ...{ name: exitsCase.name, macs: recorded.macs, trainingRows: training.rowCount },
    settingRows: split?.setting.length ?? 0,
    judgingRows: split?.judging.length ?? 0,
    backboneAccuracy: labels === null ? null : accuracyOf(recorded, labels),
    levels,
  };
}

async function measureLevel(
  exitsCase: ExitsCase,
  of: {
    readonly recorded: RecordedCase;
    readonly ofSelfXit: readonly FullMapHead[];
    readonly splits: ReturnType<typeof randomSplits>;
    readonly budget: number;
    readonly extent: Extent;
    readonly cache: Cache;
  },
): Promise<LevelResults | null> {
  const { recorded, ofSelfXit, splits, budget, extent, cache } = of;
  const trained = await trainCase(recorded, budget, cache);
  if (trained === null) return null;
  const logits = await scoreRows(exitsCase, { recorded, trained, cache });
  const heads = trained.heads.map((head, i) => answeringHead(recorded, head, logits[i]!));
  const chosen = heads.filter(({ of: { isChosen } }) => isChosen);
  const rules = [...(await levelRules(recorded, heads)), fullMapRule(recorded, ofSelfXit)];
  const times = new Map<string, PathTimes>();
  for (const rule of rules) {
    const key = keyOf(rule);
    if (rule.heads === null || times.has(key)) continue;
    const asked = rule.heads.map(({ head }) => head);
    times.set(key, await measurePaths(exitsCase.modelPath, asked, recorded.firstInput));
  }
  return {
    budget,
    heads: chosen.map(({ of: { head } }) => {
      const { exit, pool, hidden } = head;
      return { exit, pool, hidden };
    }),
    rules: rules.map((rule) =>
      compareRule(rule, splits, { budget, times: times.get(keyOf(rule)) ?? null }),
    ),
    replay: replayAttempts(caseAnswers(recorded, chosen), {
      ...{ budget, attempts: extent.attempts, seed: SEED },
    }),
  };
}

function keyOf({ heads }: TimedRule): string {
  return heads?.map(({ exit }) => exit).join(' ') ?? '';
}

function accuracyOf({ serving, classCount }: RecordedCase, labels: Int32Array): number {
  const isRight = matches(classesOf(serving.logits, classCount), labels);
  return isRight.reduce((sum, right) => sum + right, 0) / isRight.length;
}
