/* eslint-disable @typescript-eslint/no-non-null-assertion -- D has an entry per lambda */
// The three looks of an attempt (exits.md 6.2). When a look is taken depends on how many rows came, never on their outcomes.
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import type { AgreementName } from '../../crds/wire/agreement.ts';
import { agreementOf } from '../../server/core/agreement.ts';
import { LOOK_SHARES } from '../../server/core/certificate.ts';
import { dispersionOf, risingDispersion, type BlockedEvidence } from './dispersion.ts';
import { largestAccepted } from './fixed-sequence.ts';
import { flagPods, type FlaggedPods } from './flagged-pods.ts';
import type { PodRows } from './pod-rows.ts';

/** Number of looks of an attempt. */
export const LAST_LOOK = LOOK_SHARES.length;
const LOOK_MULTIPLES = [1, 3, 10] as const;
const MIN_BLOCKS = 20;

/** Audited rows of the three looks: n1, 3 n1, 10 n1. */
export function lookSizes(firstLookRows: number): readonly number[] {
  return LOOK_MULTIPLES.map((multiple) => multiple * firstLookRows);
}

/**
 * The look that is due at this block end: the last whose size is reached, if it comes after `lastLook` (0: none taken) and
 * there are 20 blocks. Looks that it overruns are forfeited with their share of delta. Null: none is due.
 */
export function dueLook(
  evidence: BlockedEvidence,
  firstLookRows: number,
  lastLook: number,
): number | null {
  if (evidence.blocks < MIN_BLOCKS) return null;
  const reached = lookSizes(firstLookRows).filter((size) => evidence.closed.n >= size).length;
  return reached > lastLook ? reached : null;
}

/** What an attempt was started with; it fixes the levels of all its looks. */
export interface AttemptTerms {
  readonly budget: number;
  readonly confidence: number;
  /** 1-based within the episode (exits.md 6.3). */
  readonly attempt: number;
  /** What a unit of disagreement in the grids is; absent: Strict. */
  readonly agreement?: AgreementName;
  /** Rows are frames of cameras, and D is read beside the accepted lambda instead of at the first one that shows it. */
  readonly hasGrowingBursts?: boolean;
}

/** A look as stored: the counts it was taken on, and what it accepted then. */
export interface LookResult {
  readonly look: number;
  readonly grid: EvidenceGrid;
  readonly dispersion: number;
  /** Pods that are unlike the others at the lambda that all rows together would certify; null: none, or no lambda. */
  readonly flagged: FlaggedPods | null;
  readonly lambdaIndex: number | null;
}

/**
 * Takes a look on the closed blocks: one full pass from lambda_0 at the level of attempt and look. A look falls on the end of a
 * block, where no row is open: the rows of the pods are those of the blocks.
 */
export function takeLook(
  { blocks, pods }: { readonly blocks: BlockedEvidence; readonly pods: readonly PodRows[] },
  look: number,
  terms: AttemptTerms,
): LookResult {
  const agreement = agreementOf(terms);
  const dispersion =
    terms.hasGrowingBursts === true
      ? dispersionAtFailure(blocks, look, terms)
      : dispersionOf(blocks, agreement);
  const stored = { look, grid: blocks.closed, dispersion };
  const whole = largestAccepted(blocks.closed, { ...terms, look, dispersion });
  const flagged =
    whole === null
      ? null
      : flagPods(pods, blocks.closed, {
          lambdaIndex: whole,
          dispersion,
          rowUnits: agreement.rowUnits,
        });
  return { ...stored, flagged, lambdaIndex: reassessLook({ ...stored, flagged }, terms) };
}

/**
 * D of the first lambda that fails with its own D: with that one for all, none behind it can pass either, so that one number says
 * what the look went by.
 */
function dispersionAtFailure(blocks: BlockedEvidence, look: number, terms: AttemptTerms): number {
  const dispersion = risingDispersion(blocks, agreementOf(terms));
  const passed = largestAccepted(blocks.closed, { ...terms, look, dispersion }) ?? -1;
  return dispersion[Math.min(passed + 1, dispersion.length - 1)]!;
}

/**
 * The same look under these terms, from its stored counts: after a restart, a tighter budget or a higher confidence. Where
 * pods are set aside, the smaller lambda of all rows and of what they leave; null when either certifies none.
 */
export function reassessLook(
  { look, grid, dispersion, flagged }: Omit<LookResult, 'lambdaIndex'>,
  terms: AttemptTerms,
): number | null {
  const test = { ...terms, look, dispersion };
  const whole = largestAccepted(grid, test);
  const rest = flagged?.without ?? null;
  if (whole === null || rest === null) return whole;
  const others = largestAccepted(rest, test);
  return others === null ? null : Math.min(whole, others);
}
