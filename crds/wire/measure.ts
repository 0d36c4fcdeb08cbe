import type { AgreementName } from './agreement.ts';

/**
 * Words for what a budget bounds, wherever a person reads of it: in the terminal, on the page, in reports, messages and commands.
 * A count of rows is "3 rows that disagree", or where boxes can be partly right "1.2 rows lost to F1".
 */
export interface Measure {
  readonly title: string;
  /** "Audited disagreement is above the budget". */
  readonly noun: string;
  /** Heading of a column of a table. */
  readonly column: string;
  /** "0.61% disagree". */
  readonly share: string;
  /** Of audited rows: "3 of 1,000 disagree", "disagreed", "were answered unlike the backbone", "3 unlike the backbone". */
  readonly rows: Readonly<Record<'now' | 'then' | 'were' | 'of', string>>;
  /** How many such rows there are, for people: whole ones, or to tenths. */
  readonly format: 'grouped' | 'tenths';
  /** What certificates count. */
  readonly units: string;
  /** Such a count as a noun: "3 disagreements". */
  readonly ofRows: (count: string) => string;
  /** "With as many disagreements as so far". */
  readonly asMuch: string;
  /** Of pods that speak for others although they are unlike them: "disagree too seldom". */
  readonly tooSeldom: string;
  /** After a budget: "1%", "1% F1 loss". */
  readonly afterBudget: string;
  /** @param budget as people read it: "1%" */
  readonly promise: (budget: string) => string;
  /** Of what an exit answers, 1 less what is lost: "agrees 99.2%". */
  readonly kept: { readonly noun: string; readonly verb: string; readonly meaning: string };
  readonly backboneTitle: string;
}

const DISAGREEMENT: Measure = {
  title: 'Disagreement',
  noun: 'disagreement',
  column: 'DISAGREE',
  share: 'disagree',
  rows: {
    now: 'disagree',
    then: 'disagreed',
    were: 'answered unlike the backbone',
    of: 'unlike the backbone',
  },
  format: 'grouped',
  units: 'disagreements',
  ofRows: (count) => `${count} disagreements`,
  asMuch: 'as many disagreements',
  tooSeldom: 'disagree too seldom',
  afterBudget: '',
  promise: (budget) => `At most ${budget} of the answers may differ from the backbone’s.`,
  kept: {
    noun: 'agree',
    verb: 'agrees',
    meaning: 'share of audited rows that agree with the backbone',
  },
  backboneTitle: 'Disagreement with the backbone',
};

const F1_LOSS: Measure = {
  title: 'F1 loss',
  noun: 'F1 loss',
  column: 'F1 LOSS',
  share: 'F1 loss',
  rows: { now: 'are lost to F1', then: 'were lost to F1', were: 'lost to F1', of: 'lost to F1' },
  format: 'tenths',
  units: 'tenths of F1 loss',
  ofRows: (count) => `an F1 loss of ${count} rows`,
  asMuch: 'as much F1 loss',
  tooSeldom: 'lose too little',
  afterBudget: ' F1 loss',
  promise: (budget) =>
    `Over all rows the boxes may lose at most ${budget} of F1 against the backbone’s.`,
  kept: { noun: 'F1', verb: 'F1', meaning: 'mean F1 of audited rows against the backbone' },
  backboneTitle: 'F1 loss against the backbone',
};

const MEASURES: Readonly<Record<AgreementName, Measure>> = { Strict: DISAGREEMENT, F1: F1_LOSS };

/** @param agreement as in accuracy.agreement; absent: Strict. */
export function measureOf({ agreement }: { readonly agreement?: AgreementName }): Measure {
  return MEASURES[agreement ?? 'Strict'];
}
