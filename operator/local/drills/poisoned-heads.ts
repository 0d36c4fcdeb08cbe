import { createHash } from 'node:crypto';
import {
  encodeHeadBundle,
  type BundleHead,
  type BundleMatrix,
  type HeadBundle,
} from '../../../crds/wire/head-bundle.ts';
import { definedAnswers } from '../../../server/core/known-answer.ts';
import type { VerifiedBundle } from '../../fleet/pull-bundle.ts';

/**
 * Heads that are as sure as those of the bundle and name the next class instead of theirs. Digest, shapes and known answers fit:
 * only rows judged by the backbone too can tell that they are wrong (reliability.md W6).
 */
export function poisonBundle({ bundle }: Pick<VerifiedBundle, 'bundle'>): VerifiedBundle {
  const poisoned: HeadBundle = {
    ...bundle,
    heads: bundle.heads.map((head) => poisonHead(head, bundle.classCount)),
  };
  const bytes = encodeHeadBundle(poisoned);
  const headRevision = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { headRevision, bytes, bundle: poisoned };
}

/** A companion's classes are its model's own: it is made sure of every row instead. */
const SURE = 20;

function poisonCompanion(head: BundleHead, classCount: number): BundleHead {
  const { score } = head;
  const poisoned = { ...head, score: { ...score, intercept: score.intercept + SURE } };
  return { ...poisoned, knownAnswers: definedAnswers(poisoned, classCount) };
}

function poisonHead(head: BundleHead, classCount: number): BundleHead {
  if (head.modelDigest !== null) return poisonCompanion(head, classCount);
  const last = head.hidden === 0;
  const shifted: BundleHead = {
    ...head,
    w1: last ? shiftColumns(head.w1) : head.w1,
    b1: last ? shift(head.b1) : head.b1,
    w2: shiftColumns(head.w2),
    b2: shift(head.b2),
  };
  return { ...shifted, knownAnswers: definedAnswers(shifted, classCount) };
}

/** What stood for class c stands for the class after it. */
function shift(values: Float32Array | null): Float32Array | null {
  return values === null ? null : values.map((_, i) => values.at(i - 1) ?? 0);
}

function shiftColumns(matrix: BundleMatrix | null): BundleMatrix | null {
  if (matrix === null) return null;
  const { columns } = matrix;
  const from = (i: number): number => i - (i % columns) + (((i % columns) + columns - 1) % columns);
  if (matrix.type === 'float16') {
    return { ...matrix, values: matrix.values.map((_, i) => matrix.values[from(i)] ?? 0) };
  }
  return {
    ...matrix,
    values: matrix.values.map((_, i) => matrix.values[from(i)] ?? 0),
    scales: matrix.scales.map((_, i) => matrix.scales.at(i - 1) ?? 0),
  };
}
