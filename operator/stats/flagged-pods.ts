/* eslint-disable @typescript-eslint/no-non-null-assertion -- columns have 120 places, and a lambda index is one of them */
// Pods whose rows are unlike those of the others do not speak for them (reliability.md P6): a certificate has to hold with
// them and without.
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
  /** What has to pass the test of the look as well. */
  readonly without: readonly RowColumn[];
}

/** An honest fleet of 10 pods is flagged in at most 0.3 % of certificates. */
const LEVEL = 1e-4;
const MAX_NAMED = 8;

/** Where the pods of a look are compared, and with how many rows a row counts for (exits.md 6.4). */
export interface Comparison {
  readonly lambdaIndex: number;
  readonly dispersion: number;
}

/**
 * Compares each pod with the rest at one lambda; null: none stands out. The clearest is set aside before the others are
 * compared again, so that one wrong pod does not make right ones stand out from a rest that it is part of.
 * @param total all closed rows, of these pods and of pods that are not told apart.
 */
export function flagPods(
  pods: readonly PodRows[],
  total: RowColumn,
  at: Comparison,
): FlaggedPods | null {
  const named = pods.map((pod) => ({ podUid: pod.podUid, column: columnOf(pod) }));
  const { flagged, without } = flagAmong({ pods: named, total }, at);
  if (flagged.length === 0) return null;
  return { count: flagged.length, pods: flagged.slice(0, MAX_NAMED), without };
}

interface NamedColumn {
  readonly podUid: string;
  readonly column: RowColumn;
}

interface Fleet {
  readonly pods: readonly NamedColumn[];
  readonly total: RowColumn;
}

function flagAmong(
  { pods, total }: Fleet,
  at: Comparison,
): { readonly flagged: readonly FlaggedPod[]; readonly without: readonly RowColumn[] } {
  const compared = pods.map((pod) => comparePod(pod, total, at)).sort((a, b) => a.tail - b.tail);
  const clearest = compared[0];
  if (clearest === undefined || clearest.tail > LEVEL) return { flagged: [], without: [total] };
  const rest = minus(total, clearest.column);
  // Of the last two each is the rest of the other, and nothing says which is wrong: either alone has to pass.
  if (compared[1]?.column.n === rest.n && compared.length === 2) {
    return {
      flagged: compared.map(({ flagged }) => flagged),
      without: compared.map(({ column }) => column),
    };
  }
  const others = flagAmong(
    { pods: pods.filter((pod) => pod.podUid !== clearest.podUid), total: rest },
    at,
  );
  return { ...others, flagged: [clearest.flagged, ...others.flagged] };
}

interface ComparedPod extends NamedColumn {
  readonly flagged: FlaggedPod;
  readonly tail: number;
}

function comparePod(
  pod: NamedColumn,
  total: RowColumn,
  { lambdaIndex, dispersion }: Comparison,
): ComparedPod {
  const own = sideAt(pod.column, lambdaIndex);
  const other = sideAt(minus(total, pod.column), lambdaIndex);
  const { audits: otherAudits, disagreements: otherDisagreements } = other;
  return {
    ...pod,
    flagged: { podUid: pod.podUid, ...own, otherAudits, otherDisagreements },
    tail: fisherTail(thinned(own, dispersion), thinned(other, dispersion)),
  };
}

const sideAt = ({ n, dis }: RowColumn, lambdaIndex: number): SideCounts => ({
  audits: n,
  disagreements: dis[lambdaIndex]!,
});

/** Rows that come in bursts are fewer than they look, on a pod as everywhere. */
function thinned(side: SideCounts, dispersion: number): SideCounts {
  const { audits, disagreements } = effectiveCounts({ ...side, dispersion });
  return { audits, disagreements: Math.min(audits, disagreements) };
}

function minus(a: RowColumn, b: RowColumn): RowColumn {
  return { n: a.n - b.n, dis: a.dis.map((disagreements, j) => disagreements - b.dis[j]!) };
}
