/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
// Rows that come in bursts (video, retries) are fewer than they look (exits.md 6.4). Only dependence inside a block is seen.
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import { AGREEMENTS, type Agreement } from '../../server/core/agreement.ts';
import { emptyGrid, mergeGrids } from '../../server/core/evidence.ts';

/** Evidence of one head revision cut into blocks (exits.md 5.4). Plain JSON; lives in the ledger. */
export interface BlockedEvidence {
  /** Rows of closed blocks: K_j and N. */
  readonly closed: EvidenceGrid;
  /** Q_j = sum over closed blocks of k^2 / n. Length 120. */
  readonly squares: readonly number[];
  /** W, the number of closed blocks. */
  readonly blocks: number;
  /** Rows of ticks that do not make a block yet. */
  readonly open: EvidenceGrid;
}

/** Rows that close a block at the end of a tick. */
const MIN_BLOCK_ROWS = 50;
/** Below this D counts as 1: noise of the estimate, not bursts. */
const IGNORED_BELOW = 1.3;
/** D is read off the first lambda with that many disagreements. */
const MIN_DISAGREEMENTS = 30;

/** Evidence before the first row. */
export function emptyBlocks(exitCount: number): BlockedEvidence {
  const grid = emptyGrid(exitCount);
  return { closed: grid, squares: grid.dis, blocks: 0, open: grid };
}

/** Adds all rows of a tick, of all pods together; closes the block once it has 50 rows. A tick without rows changes nothing. */
export function addTick(evidence: BlockedEvidence, tick: EvidenceGrid): BlockedEvidence {
  const block = mergeGrids(evidence.open, tick);
  if (block.n < MIN_BLOCK_ROWS) return { ...evidence, open: block };
  return {
    closed: mergeGrids(evidence.closed, block),
    squares: evidence.squares.map((square, j) => square + block.dis[j]! ** 2 / block.n),
    blocks: evidence.blocks + 1,
    open: emptyGrid(block.leave.length),
  };
}

/**
 * D >= 1 at the smallest lambda with 30 disagreements, else at the largest: variance of the blocks over that of
 * independent rows. Below 1.3, with fewer than two blocks, and where all or no rows disagree: 1. Of losses between 0 and 1 it is
 * the variance over the largest that such a mean allows, which is what the test of bounded losses assumes too.
 */
export function dispersionOf(
  evidence: BlockedEvidence,
  { rowUnits }: Agreement = AGREEMENTS.Strict,
): number {
  return dispersionAt(readAt(evidence.closed, rowUnits), evidence, rowUnits);
}

/**
 * D per lambda, never falling: that of `dispersionOf` up to the lambda where it is read, from there on the largest so far. For rows
 * whose bursts get longer as lambda grows, as those of cameras: an easy lambda errs on single frames, a bold one on whole scenes.
 */
export function risingDispersion(
  evidence: BlockedEvidence,
  { rowUnits }: Agreement,
): readonly number[] {
  const first = readAt(evidence.closed, rowUnits);
  let largest = dispersionAt(first, evidence, rowUnits);
  return evidence.closed.dis.map((_, j) => {
    if (j > first) largest = Math.max(largest, dispersionAt(j, evidence, rowUnits));
    return largest;
  });
}

/** The smallest lambda with enough disagreements, else the largest. */
function readAt({ dis }: EvidenceGrid, rowUnits: number): number {
  const first = dis.findIndex((units) => units >= MIN_DISAGREEMENTS * rowUnits);
  return first === -1 ? dis.length - 1 : first;
}

function dispersionAt(
  j: number,
  { closed, squares, blocks }: BlockedEvidence,
  rowUnits: number,
): number {
  const disagreements = closed.dis[j]! / rowUnits;
  const ratio = disagreements / closed.n;
  if (blocks < 2 || !(ratio > 0 && ratio < 1)) return 1;
  const excess = squares[j]! / rowUnits ** 2 - disagreements ** 2 / closed.n;
  const dispersion = excess / (ratio * (1 - ratio)) / (blocks - 1);
  return dispersion < IGNORED_BELOW ? 1 : dispersion;
}
