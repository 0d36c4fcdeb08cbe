/* eslint-disable @typescript-eslint/no-non-null-assertion -- row numbers are below rowCount */
import type { Dataset } from './dataset.ts';
import { createSha256, textBytes } from './sha256.ts';

/** Disjoint row numbers, ascending. */
export interface Split {
  readonly training: Uint32Array;
  readonly validation: Uint32Array;
}

export interface SplitSettings {
  readonly seed: number;
  readonly validationShare: number;
  /** Rows answered within as many minutes stay together. */
  readonly groupMinutes: number;
  /** Rows that are split by themselves, so that both sides have their share of them. Absent: none. */
  readonly isApart?: (row: number) => boolean;
}

/** Fewer groups of minutes than this would make the split a matter of luck: short runs. */
const LEAST_GROUPS = 10;
/** Consecutive rows of a pod that then stay together instead. */
const GROUP_ROWS = 50;

type Places = Pick<Dataset, 'rowCount' | 'pods' | 'pod' | 'minute' | 'sequence'>;

/**
 * Splits by groups of near-duplicates: whole minutes of a pod, or runs of 50 consecutive sequence numbers when the traffic
 * is younger than ten such groups. Groups are taken in the order of SHA-256(pod, boot, group, seed) until validation has its
 * share of rows, so the share is kept to within one group. A group never straddles, but for one that has rows apart and others.
 */
export function splitRows(dataset: Places, settings: SplitSettings): Split {
  const { isApart = () => false } = settings;
  const apart: number[] = [];
  const others: number[] = [];
  for (let row = 0; row < dataset.rowCount; row++) (isApart(row) ? apart : others).push(row);
  const parts = [apart, others].map((rows) => splitPart(dataset, rows, settings));
  return {
    training: ascending(parts.flatMap(({ training }) => training)),
    validation: ascending(parts.flatMap(({ validation }) => validation)),
  };
}

function splitPart(
  dataset: Places,
  rows: readonly number[],
  settings: SplitSettings,
): Readonly<Record<keyof Split, number[]>> {
  const byMinute = groupBy(dataset, rows, (row) =>
    Math.floor(dataset.minute[row]! / settings.groupMinutes),
  );
  const groups =
    byMinute.length >= LEAST_GROUPS
      ? byMinute
      : groupBy(dataset, rows, (row) => Math.floor((dataset.sequence[row]! - 1) / GROUP_ROWS));
  const ordered = groups
    .map((group) => ({ hash: hashOf(`${group.key} ${settings.seed}`), rows: group.rows }))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  const wanted = rows.length * settings.validationShare;
  const training: number[] = [];
  const validation: number[] = [];
  for (const group of ordered) {
    const target = validation.length + group.rows.length / 2 <= wanted ? validation : training;
    for (const row of group.rows) target.push(row);
  }
  return { training, validation };
}

function groupBy(
  dataset: Pick<Dataset, 'pods' | 'pod'>,
  all: readonly number[],
  groupOf: (row: number) => number,
): { readonly key: string; readonly rows: number[] }[] {
  const groups = new Map<string, number[]>();
  for (const row of all) {
    const { podUid, bootId } = dataset.pods[dataset.pod[row]!]!;
    const key = `${podUid} ${bootId} ${groupOf(row)}`;
    const rows = groups.get(key);
    if (rows === undefined) groups.set(key, [row]);
    else rows.push(row);
  }
  return [...groups].map(([key, rows]) => ({ key, rows }));
}

function hashOf(text: string): string {
  return createSha256().update(textBytes(text)).hex();
}

function ascending(rows: readonly number[]): Uint32Array {
  return Uint32Array.from(rows).sort();
}
