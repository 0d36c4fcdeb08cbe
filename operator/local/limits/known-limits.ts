import type { AgreementName } from '../../../crds/wire/agreement.ts';
import { measureOf } from '../../../crds/wire/measure.ts';
import type { CutReport, ServerState } from '../../../crds/wire/state.ts';
import type { Decision } from '../../lifecycle/types.ts';
import { grouped, percent, plainPercent } from '../view/format.ts';
import type { Statement } from './statement.ts';

/** What a run knows of itself, as far as its limits go. */
export interface LimitFacts {
  readonly model: {
    readonly cuts: readonly CutReport[];
    readonly rejectedCuts: ServerState['rejectedCuts'];
  };
  /** Candidate exits; 0 although there are cuts: the manifest names none. */
  readonly exits: number;
  readonly isDisabled: boolean;
  readonly budget: number;
  /** What the budget bounds. */
  readonly agreement: AgreementName;
  /** Audited rows that the first look takes. */
  readonly firstLookRows: number;
  /** Rows of the stream that may be evidence; null: no end. */
  readonly evidenceRows: number | null;
  /** Request at which the stream began to repeat; null: it does not. */
  readonly repeatsFrom: number | null;
  /** Labelled rows that the backbone answered while exits were off. */
  readonly plain: { readonly n: number; readonly right: number };
  readonly areExitsOn: boolean;
  /** The last decision that left the run without exits. */
  readonly verdict: Decision | null;
  /** What is missing for a certificate, once the run is over without one. */
  readonly missing: string | null;
}

/** Rows that the backbone knows this well look like those it was trained on. */
const SUSPICIOUS_ACCURACY = 0.995;
const ACCURACY_ROWS = 1_000;

/** Every known limit that a run meets, the gravest first. */
export function knownLimits(facts: LimitFacts): Statement[] {
  return [
    noExits(facts),
    tooFewRows(facts),
    verdict(facts),
    insufficient(facts),
    trainedRows(facts),
    repeats(facts),
  ].filter((statement) => statement !== null);
}

function noExits({ exits, isDisabled, model }: LimitFacts): Statement | null {
  if (exits > 0 || isDisabled) return null;
  if (model.cuts.length > 0) {
    return {
      reason: 'NoExits',
      message: `The manifest names no exits, although the backbone has ${grouped(model.cuts.length)} possible cuts: it answers every request itself.`,
      nextStep: 'Remove exits from the manifest to have them chosen, or name some.',
    };
  }
  const [first] = model.rejectedCuts;
  const example = first === undefined ? '' : ` (${first.tensor}: ${first.reason})`;
  return {
    reason: 'NoExits',
    message: `The backbone cannot be cut: none of its tensors can hold an exit${example}. It answers every request itself.`,
    nextStep: '`layercache inspect MODEL` lists the tensors with the reason for each.',
  };
}

/** Said before the first row is sent: no waiting helps. */
function tooFewRows({ exits, evidenceRows, firstLookRows }: LimitFacts): Statement | null {
  if (exits === 0 || evidenceRows === null || evidenceRows >= firstLookRows) return null;
  return {
    reason: 'InsufficientSamples',
    message: `The stream has ${grouped(evidenceRows)} rows that may be evidence, and the first look takes ${grouped(firstLookRows)}: nothing can be certified in this run.`,
    nextStep: 'Bring more distinct rows, or train heads on other rows with --head-traffic.',
  };
}

/** What decisions that leave a run without exits come to. */
const VERDICTS: Readonly<
  Partial<
    Record<Decision['reason'], (facts: LimitFacts) => Omit<Statement, 'message'> & { what: string }>
  >
> = {
  NotCertified: ({ budget, agreement }) => ({
    reason: 'NotCertified',
    what: `No exit keeps the ${measureOf({ agreement }).noun} within the budget of ${plainPercent(budget)}.`,
    nextStep:
      'Raise accuracy.maxDisagreement, or bring more rows to train heads on; exits stay off.',
  }),
  NotWorthwhile: () => NOT_WORTHWHILE,
  NotBetter: () => NOT_WORTHWHILE,
  TooFewRows: () => ({
    reason: 'InsufficientSamples',
    what: 'There are too few rows to train heads on.',
    nextStep: 'Bring more distinct rows.',
  }),
};

const NOT_WORTHWHILE = {
  reason: 'NotWorthwhile',
  what: 'Exits do not pay here.',
  nextStep: 'Offer earlier exits, lower tuning.minSaving, or leave it: exits stay off.',
};

function verdict(facts: LimitFacts): Statement | null {
  const { verdict: last, areExitsOn } = facts;
  const found = last === null || areExitsOn ? undefined : VERDICTS[last.reason]?.(facts);
  if (last === null || found === undefined) return null;
  const { reason, what, nextStep } = found;
  return { reason, message: `${what} ${last.message}`, nextStep };
}

function insufficient({
  missing,
  verdict: last,
  evidenceRows,
  firstLookRows,
  exits,
}: LimitFacts): Statement | null {
  const isKnown = evidenceRows !== null && evidenceRows < firstLookRows;
  if (missing === null || last !== null || isKnown || exits === 0) return null;
  return {
    reason: 'InsufficientSamples',
    message: `The rows ended before a certificate. ${missing}`,
    nextStep: 'Bring more distinct rows, or let the run last longer.',
  };
}

function trainedRows({ plain }: LimitFacts): Statement | null {
  if (plain.n < ACCURACY_ROWS || plain.right < SUSPICIOUS_ACCURACY * plain.n) return null;
  return {
    reason: 'BackboneTrainingRows',
    message: `The backbone answers ${percent(plain.right / plain.n, 2)} of ${grouped(plain.n)} rows as labelled, as networks do on rows they were trained on. If it was, a certificate from them says too little about fresh rows.`,
    nextStep:
      'Name rows that the backbone has not seen with --traffic, and these with --head-traffic, where they train heads and are never evidence.',
  };
}

function repeats({ repeatsFrom }: LimitFacts): Statement | null {
  if (repeatsFrom === null) return null;
  return {
    reason: 'StreamRepeats',
    message: `The stream repeats since request ${grouped(repeatsFrom)}: rows that were sent before are answered and never audited, so neither a certificate nor an alarm can come from them.`,
    nextStep: 'Bring more distinct rows; the figures under serving count distinct rows only.',
  };
}
