/* eslint-disable @typescript-eslint/no-non-null-assertion -- grids have 120 columns, and a lambda index is one of them */
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';

/** Audited rows whose early answer at this lambda is not the backbone's. */
export function disagreementsAt({ dis }: EvidenceGrid, lambdaIndex: number): number {
  return dis[lambdaIndex]!;
}

/** Audited rows that leave early at this lambda, at whatever exit. */
export function leavingAt({ leave }: EvidenceGrid, lambdaIndex: number): number {
  return leave.reduce((sum, column) => sum + column[lambdaIndex]!, 0);
}
