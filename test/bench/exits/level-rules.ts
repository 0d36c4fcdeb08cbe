import { headMacs } from '../../../operator/fleet/model-costs.ts';
import type { ScoreCoefficients } from '../../../crds/wire/head-bundle.ts';
import type { FullMapHead } from './full-map-heads.ts';
import type { RecordedCase } from './record-features.ts';
import { classesOf, matches, toHeadAnswers, type Answers } from './rules/answers.ts';
import { fitSelector, selectorMacs } from './rules/gati.ts';
import { RULE_NAMES } from './rules/rule-names.ts';
import {
  apparateRule,
  certifiedRule,
  patienceRule,
  thresholdRule,
  type ExitRule,
} from './rules/rule.ts';
import type { CaseHead } from './train-heads.ts';

/** A rule with the heads that it asks, for their times. */
export interface TimedRule extends ExitRule {
  /** Null: heads that engines do not run, so without times. */
  readonly heads: readonly CaseHead[] | null;
}

/** Heads with what they answer on the serving rows. */
export interface AnsweringHead {
  readonly of: CaseHead;
  /** [rows, classCount] */
  readonly logits: Float32Array;
}

/** All rules of one level on the same heads, patience on every head that was trained in full. */
export async function levelRules(
  recorded: RecordedCase,
  heads: readonly AnsweringHead[],
): Promise<readonly TimedRule[]> {
  const chosen = heads.filter(({ of }) => of.isChosen);
  const answers = answersOf(recorded, chosen, 0);
  const asked = chosen.map(({ of }) => of);
  const { exits } = answers;
  const selectors = answersOf(recorded, chosen, selectorMacs(recorded.classCount));
  const rules = [
    certifiedRule(RULE_NAMES.certified, answers),
    thresholdRule(
      RULE_NAMES.ours,
      answers,
      exits.map(({ score }) => score),
    ),
    thresholdRule(
      RULE_NAMES.selfXit,
      answers,
      exits.map(({ logitMax }) => logitMax),
    ),
    thresholdRule(
      RULE_NAMES.branchyNet,
      answers,
      exits.map(({ entropy }) => entropy.map((h) => -h)),
    ),
    thresholdRule(RULE_NAMES.gati, selectors, await selected(recorded, chosen)),
    apparateRule(RULE_NAMES.apparate, answers),
  ].map((rule) => ({ ...rule, heads: asked }));
  const all = heads.map(({ of }) => of);
  return [
    ...rules,
    { ...patienceRule(RULE_NAMES.patience, answersOf(recorded, heads, 0)), heads: all },
  ];
}

/** SelfXit's rule on heads of its kind. */
export function fullMapRule(recorded: RecordedCase, heads: readonly FullMapHead[]): TimedRule {
  const { macs, macsShare, classCount, serving, labels } = recorded;
  const backboneClasses = classesOf(serving.logits, classCount);
  const exits = heads.map(({ logits }) =>
    toHeadAnswers(logits, { classCount, backboneClasses, labels, score: UNSCORED }),
  );
  let added = 0;
  const ends = heads.map((head) => {
    added += head.macs / macs;
    return macsShare[head.exit]! + added;
  });
  const answers: Answers = {
    ...{ rowCount: serving.rowCount, exits, path: [...ends, 1 + added] },
    backboneIsRight: labels === null ? null : matches(backboneClasses, labels),
  };
  const values = exits.map(({ logitMax }) => logitMax);
  return { ...thresholdRule(RULE_NAMES.selfXitHeads, answers, values), heads: null };
}

/** Of heads whose score no rule reads. */
const UNSCORED: ScoreCoefficients = {
  ...{ features: ['logitMax'], mean: [0], scale: [1], weights: [1], intercept: 0 },
};

/** @param addedMacs of each exit besides its head. */
export function answersOf(
  { macs, macsShare, classCount, serving, labels }: RecordedCase,
  heads: readonly AnsweringHead[],
  addedMacs: number,
): Answers {
  const backboneClasses = classesOf(serving.logits, classCount);
  let added = 0;
  const ends = heads.map(({ of }) => {
    added += (headMacs(of.head, classCount) + addedMacs) / macs;
    return macsShare[of.exit]! + added;
  });
  return {
    rowCount: serving.rowCount,
    exits: heads.map(({ of, logits }) =>
      toHeadAnswers(logits, { classCount, backboneClasses, labels, score: of.head.score }),
    ),
    backboneIsRight: labels === null ? null : matches(backboneClasses, labels),
    path: [...ends, 1 + added],
  };
}

/** What a selector per exit says of every row, each fitted on rows that its head had not seen. */
function selected(
  { classCount }: RecordedCase,
  heads: readonly AnsweringHead[],
): Promise<Float64Array[]> {
  return Promise.all(
    heads.map(async ({ of, logits }) => {
      const { validationLogits, validationAgrees } = of;
      const select = await fitSelector(validationLogits, validationAgrees, classCount);
      return select(logits);
    }),
  );
}
