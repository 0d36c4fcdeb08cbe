import type { FormatName } from './format.ts';

/** Words for what the budget bounds, on the page, in the terminal and in reports. */
export interface Measure {
  readonly title: string;
  readonly noun: string;
  /** What audited rows did: "3 of 1,000 audited rows disagreed". */
  readonly verb: string;
  /** Of a count of such rows. */
  readonly format: FormatName;
}

const DISAGREEMENT: Measure = {
  ...{ title: 'Disagreement', noun: 'disagreement', verb: 'disagreed' },
  format: 'grouped',
};

/** Losses of boxes that are partly right add up to parts of rows. */
const F1_LOSS: Measure = {
  ...{ title: 'F1 loss', noun: 'F1 loss', verb: 'were lost to F1' },
  format: 'tenths',
};

/** @param agreement as in accuracy.agreement; absent: Strict. */
export function measureOf({ agreement }: { readonly agreement?: 'Strict' | 'F1' }): Measure {
  return agreement === 'F1' ? F1_LOSS : DISAGREEMENT;
}
