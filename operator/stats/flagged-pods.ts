/* eslint-disable @typescript-eslint/no-non-null-assertion -- columns have 120 places, and a lambda index is one of them */
// Pods whose rows are unlike those of the others do not speak for them (reliability.md P6): a certificate has to hold with
// them and without those that would make it easier.
import { effectiveCounts } from '../../server/core/certificate.ts';
import { fisherTail, type SideCounts } from './fisher-tail.ts';
import { columnOf, type PodRows, type RowColumn } from './pod-rows.ts';

/** A pod that stands out, with its counts and those of the rest at the lambda where they were compared. */
export interface FlaggedPod {
  readonly podUid: string;
  readonly audits: number;
  readonly disagreements: number;
  readonly otherAudits: number;
  readonly otherDisagreements: number;
}

/** What a look found about pods that are unlike the others. */
export interface FlaggedPods {
  readonly count: number;
  /** The clearest first, at most eight. */
  readonly pods: readonly FlaggedPod[];
  /** All rows but those of pods that disagree too seldom: they have to pass the test of the look as well. Null: none does. */
  readonly without: RowColumn | null;
}

/** An honest fleet of 10 pods is flagged in at most 0.3 % of certificates. */
const LEVEL = 1e-4;
const MAX_NAMED = 8;

/** Where the pods of a look are compared, and with how many rows a row counts for (exits.md 6.4). */
export interface Comparison {
  readonly lambdaIndex: number;
  readonly dispersion: number;
  /** Units of disagreement that a wholly wrong row has; absent: 1. */
  readonly rowUnits?: number;
}

/**
 * Compares each pod with the rest at one lambda; null: none stands out. One that disagrees too seldom is set aside: it would
 * speak for the others. One that disagrees too often speaks only against them, and if it were set aside, pods that deny
 * everything could make the right one stand out and be rid of it.
 * @param total all closed rows, of these pods and of pods that are not told apart.
 */
export function flagPods(
  pods: readonly PodRows[],
  total: RowColumn,
  at: Comparison,
): FlaggedPods | null {
  const flagged = pods
    .map((pod) => comparePod(pod.podUid, columnOf(pod), total, at))
    .filter(({ tail }) => tail <= LEVEL)
    .sort((a, b) => a.tail - b.tail);
  if (flagged.length === 0) return null;
  const denying = flagged.filter(({ pod }) => disagreesTooSeldom(pod));
  return {
    count: flagged.length,
    pods: flagged.slice(0, MAX_NAMED).map(({ pod }) => pod),
    without: denying.length === 0 ? null : denying.map(({ column }) => column).reduce(minus, total),
  };
}

/** Of a pod that stands out: it disagrees less often than the rest, not more. */
export function disagreesTooSeldom({
  audits,
  disagreements,
  otherAudits,
  otherDisagreements,
}: FlaggedPod): boolean {
  return disagreements * otherAudits < otherDisagreements * audits;
}

interface ComparedPod {
  readonly pod: FlaggedPod;
  readonly column: RowColumn;
  readonly tail: number;
}

function comparePod(
  podUid: string,
  column: RowColumn,
  total: RowColumn,
  at: Comparison,
): ComparedPod {
  const { dispersion } = at;
  const own = sideAt(column, at);
  const other = sideAt(minus(total, column), at);
  const { audits: otherAudits, disagreements: otherDisagreements } = other;
  return {
    pod: { podUid, ...own, otherAudits, otherDisagreements },
    column,
    tail: fisherTail(thinned(own, dispersion), thinned(other, dispersion)),
  };
}

/** Losses of parts of rows as so many whole rows: of an equal mean, whole rows spread most. */
const sideAt = ({ n, dis }: RowColumn, { lambdaIndex, rowUnits = 1 }: Comparison): SideCounts => ({
  audits: n,
  disagreements: Math.ceil(dis[lambdaIndex]! / rowUnits),
});

/** Rows that come in bursts are fewer than they look, on a pod as everywhere. */
function thinned(side: SideCounts, dispersion: number): SideCounts {
  const { audits, disagreements } = effectiveCounts({ ...side, dispersion });
  return { audits, disagreements: Math.min(audits, disagreements) };
}

function minus(a: RowColumn, b: RowColumn): RowColumn {
  return { n: a.n - b.n, dis: a.dis.map((disagreements, j) => disagreements - b.dis[j]!) };
}
