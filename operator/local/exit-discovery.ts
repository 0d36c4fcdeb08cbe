import type { ServerState } from '../../crds/wire/state.ts';
import type { ExitMode } from '../../crds/wire/policy.ts';
import { CliError } from '../errors.ts';
import type { ExitCandidate } from '../lifecycle/types.ts';
import { nearestNames } from '../../crds/schema/edit-distance.ts';
import { discoverExits } from '../plan/discover-exits.ts';

/** An exit as a manifest names it. */
export interface NamedExit {
  readonly name: string;
  readonly tensor?: string | undefined;
  readonly mode: ExitMode;
}

/**
 * Candidate exits in backbone order. A manifest's list is matched with the cuts; without one, up to 8 cuts are chosen whose
 * costs lie most evenly between the first and the last.
 */
export function selectExits(
  model: Pick<ServerState, 'cuts' | 'rejectedCuts'>,
  named: readonly NamedExit[] | undefined,
  where: string,
): ExitCandidate[] {
  if (named === undefined) return discoverExits(model.cuts);
  return named
    .map((exit) => matchExit(model, exit, where))
    .sort((a, b) => a.macsShare - b.macsShare);
}

function matchExit(
  { cuts, rejectedCuts }: Pick<ServerState, 'cuts' | 'rejectedCuts'>,
  exit: NamedExit,
  where: string,
): ExitCandidate {
  if (exit.tensor === undefined) {
    throw new CliError('TensorNotFound', {
      where,
      why: `exit ${exit.name} is a companion model, which local mode does not run.`,
      nextStep: 'Name a tensor instead, or remove the exit.',
    });
  }
  const cut = cuts.find(({ tensor }) => tensor === exit.tensor);
  if (cut === undefined) {
    const near = nearestNames(
      exit.tensor,
      cuts.map(({ tensor }) => tensor),
    );
    const reason = rejectedCuts.find(({ tensor }) => tensor === exit.tensor)?.reason;
    const because = reason === undefined ? '' : ` (${reason})`;
    throw new CliError('TensorNotFound', {
      where,
      why: `exit ${exit.name} names ${exit.tensor}${because}${near.length > 0 ? `; did you mean ${near.join(', ')}?` : '.'}`,
    });
  }
  return {
    name: exit.name,
    tensor: cut.tensor,
    mode: exit.mode,
    macsShare: cut.macsShare,
    msShare: cut.msShare,
  };
}
