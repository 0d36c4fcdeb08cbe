import type { RevisionMacs } from '../../fleet/model-costs.ts';
import type { ScopeTally } from './run-tally.ts';

/**
 * 1 - multiply-adds spent / multiply-adds of the backbone alone, over all rows of a scope. Charged: each row's path to the exit
 * that answered and every head on it, all heads of rows that only shadowed, and what audited rows ran after their answer.
 * Null without rows.
 */
export function netMacsSavedRatio(
  scope: ScopeTally,
  revisions: ReadonlyMap<string, RevisionMacs>,
  backboneMacs: number,
): number | null {
  if (scope.requests === 0 || backboneMacs === 0) return null;
  let spent = 0;
  for (const [headRevision, byExit] of scope.rows) {
    const macs = revisions.get(headRevision);
    for (const [exit, rows] of byExit) {
      spent += rows * (macs === undefined ? backboneMacs : pathMacs(macs, exit));
    }
  }
  for (const [headRevision, audited] of scope.evidence.revisions) {
    const macs = revisions.get(headRevision);
    if (macs !== undefined) {
      spent += audited.shadowRows * sum(macs.head) + continuationMacs(macs, audited.left);
    }
  }
  return 1 - spent / (scope.requests * backboneMacs);
}

/** Backbone to the exit and all heads up to it; to the end with all heads for backbone answers. */
function pathMacs(macs: RevisionMacs, exit: string): number {
  const index = macs.exits.indexOf(exit);
  if (index < 0) return macs.backbone + sum(macs.head);
  return (macs.toExit[index] ?? macs.backbone) + sum(macs.head.slice(0, index + 1));
}

function continuationMacs(macs: RevisionMacs, left: readonly number[]): number {
  const whole = macs.backbone + sum(macs.head);
  return left.reduce(
    (total, rows, exit) => total + rows * (whole - pathMacs(macs, macs.exits[exit] ?? '')),
    0,
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
