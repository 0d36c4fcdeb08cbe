/* eslint-disable @typescript-eslint/no-non-null-assertion -- columns have 120 places, and a lambda index is one of them */
// What each pod told of its own, so that one that is unlike the others does not speak for them (reliability.md P6).
import { LAMBDA_COUNT } from '../../crds/wire/lambda-grid.ts';
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';

/** Audited rows with their disagreements per lambda: a grid without its exits. */
export type RowColumn = Pick<EvidenceGrid, 'n' | 'dis'>;

/** Rows of one pod. Plain JSON; lives in the ledger. */
export interface PodRows {
  readonly podUid: string;
  readonly n: number;
  /** Where the column of disagreements changes, ascending. It may fall: a bolder lambda can send a row to a head that is right. */
  readonly steps: readonly (readonly [lambdaIndex: number, change: number])[];
}

/**
 * Pods that are told apart. One that never disagrees stands out at 1e-4 only if about 9 of the disagreements would be its own,
 * and the last look of a certificate allows some 80 in all: among more pods than these none can.
 */
const MAX_PODS = 64;
/** In all pods together. With the names about 20 KB of the ledger. */
const MAX_STEPS = 2_000;

/** The rows of a pod as the ledger keeps them. */
export function toPodRows(podUid: string, { n, dis }: RowColumn): PodRows {
  const steps = dis.flatMap((disagreements, j) => {
    const change = disagreements - (dis[j - 1] ?? 0);
    return change === 0 ? [] : [[j, change] as const];
  });
  return { podUid, n, steps };
}

/** The rows of a pod with their whole column. */
export function columnOf({ n, steps }: PodRows): RowColumn {
  const changes = new Array<number>(LAMBDA_COUNT).fill(0);
  for (const [j, change] of steps) changes[j]! += change;
  let sum = 0;
  return { n, dis: changes.map((change) => (sum += change)) };
}

/**
 * Adds what pods told in a tick; sorted by pod, so in whatever order they come. Of more pods than can be kept those with most
 * rows stay, a choice that no outcome of a row has a part in. The others are part of "the rest" and come anew with later rows.
 */
export function addPodRows(
  known: readonly PodRows[],
  told: readonly PodRows[],
): readonly PodRows[] {
  const pods = new Map(known.map((pod) => [pod.podUid, pod]));
  for (const pod of told) {
    const before = pods.get(pod.podUid);
    pods.set(pod.podUid, before === undefined ? pod : addRows(before, pod));
  }
  const bySize = [...pods.values()].sort((a, b) => b.n - a.n || compareNames(a, b));
  let steps = 0;
  const fitting = bySize.findIndex(
    (pod, i) => (steps += pod.steps.length) > MAX_STEPS || i === MAX_PODS,
  );
  return bySize.slice(0, fitting === -1 ? bySize.length : fitting).sort(compareNames);
}

function addRows(a: PodRows, b: PodRows): PodRows {
  const [left, right] = [columnOf(a), columnOf(b)];
  const dis = left.dis.map((disagreements, j) => disagreements + right.dis[j]!);
  return toPodRows(a.podUid, { n: left.n + right.n, dis });
}

const compareNames = (a: PodRows, b: PodRows): number => (a.podUid < b.podUid ? -1 : 1);
