import { headMacs } from '../../../operator/fleet/model-costs.ts';
import type { ScoreCoefficients } from '../../../crds/wire/head-bundle.ts';
import type { FullMapHead } from './full-map-heads.ts';
import type { RecordedCase } from './record-features.ts';
import {
  classesOf,
  matches,
  pathTo,
  toHeadAnswers,
  type Answers,
  type HeadAnswers,
} from './rules/answers.ts';
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

/** A head with what it answers on the serving rows. */
export interface AnsweringHead {
  readonly of: CaseHead;
  /** [rows, classCount] */
  readonly logits: Float32Array;
  readonly answers: HeadAnswers;
}

/** All rules of one level on the same heads, patience on every head that was trained in full. */
export async function levelRules(
  recorded: RecordedCase,
  heads: readonly AnsweringHead[],
): Promise<readonly TimedRule[]> {
  const chosen = heads.filter(({ of }) => of.isChosen);
  const answers = caseAnswers(recorded, chosen);
  const asked = chosen.map(({ of }) => of);
  const { exits } = answers;
  const selectors = caseAnswers(recorded, chosen, selectorMacs(recorded.classCount));
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
    { ...patienceRule(RULE_NAMES.patience, caseAnswers(recorded, heads)), heads: all },
  ];
}

/** SelfXit's rule on heads of its kind. */
export function fullMapRule(recorded: RecordedCase, heads: readonly FullMapHead[]): TimedRule {
  const answers = assemble(
    recorded,
    heads.map(({ exit, macs, logits }) => ({
      ...{ exit, addedMacs: macs },
      answers: answersOf(recorded, logits, UNSCORED),
    })),
  );
  const values = answers.exits.map(({ logitMax }) => logitMax);
  return { ...thresholdRule(RULE_NAMES.selfXitHeads, answers, values), heads: null };
}

/** Of heads whose score no rule reads. */
const UNSCORED: ScoreCoefficients = {
  ...{ features: ['logitMax'], mean: [0], scale: [1], weights: [1], intercept: 0 },
};

/** A head with what it answers. @param logits [rows, classCount] of the serving rows. */
export function answeringHead(
  recorded: RecordedCase,
  of: CaseHead,
  logits: Float32Array,
): AnsweringHead {
  return { of, logits, answers: answersOf(recorded, logits, of.head.score) };
}

function answersOf(
  { classCount, serving, labels }: RecordedCase,
  logits: Float32Array,
  score: ScoreCoefficients,
): HeadAnswers {
  const backboneClasses = classesOf(serving.logits, classCount);
  return toHeadAnswers(logits, { classCount, backboneClasses, labels, score });
}

/** @param addedMacs of each exit besides its head. */
export function caseAnswers(
  recorded: RecordedCase,
  heads: readonly AnsweringHead[],
  addedMacs = 0,
): Answers {
  const { classCount } = recorded;
  const exits = heads.map(({ of: { exit, head }, answers }) => ({
    ...{ exit, answers, addedMacs: headMacs(head, classCount) + addedMacs },
  }));
  return assemble(recorded, exits);
}

function assemble(
  { macs, macsShare, classCount, serving, labels }: RecordedCase,
  exits: readonly {
    readonly exit: number;
    readonly addedMacs: number;
    readonly answers: HeadAnswers;
  }[],
): Answers {
  const places = exits.map(({ exit, addedMacs }) => ({ macsShare: macsShare[exit]!, addedMacs }));
  return {
    rowCount: serving.rowCount,
    exits: exits.map(({ answers }) => answers),
    backboneIsRight:
      labels === null ? null : matches(classesOf(serving.logits, classCount), labels),
    path: pathTo(places, macs),
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
