import type { CutReport, ServerState } from '../../crds/wire/state.ts';
import type { ExitMode } from '../../crds/wire/policy.ts';
import { CliError } from '../errors.ts';
import type { ExitCandidate } from '../lifecycle/types.ts';
import { nearestNames } from '../../crds/schema/edit-distance.ts';

/** An exit as a manifest names it. */
export interface NamedExit {
  readonly name: string;
  readonly tensor?: string | undefined;
  readonly mode: ExitMode;
}

const MAX_DISCOVERED = 8;
const MAX_NAME_LENGTH = 32;

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

function discoverExits(cuts: readonly CutReport[]): ExitCandidate[] {
  const ordered = [...cuts].sort((a, b) => a.macsShare - b.macsShare || a.msShare - b.msShare);
  const chosen = ordered.length <= MAX_DISCOVERED ? ordered : spread(ordered);
  const names = new Set<string>();
  return chosen.map((cut) => ({
    name: exitName(cut.tensor, names),
    tensor: cut.tensor,
    mode: 'Active',
    macsShare: cut.macsShare,
    msShare: cut.msShare,
  }));
}

/** First and last, and for each even step between them the nearest cut not yet taken. */
function spread(ordered: readonly CutReport[]): CutReport[] {
  const left = [...ordered];
  const first = ordered[0]?.msShare ?? 0;
  const last = ordered.at(-1)?.msShare ?? 1;
  const chosen: CutReport[] = [];
  for (let i = 0; i < MAX_DISCOVERED; i++) {
    const target = first + ((last - first) * i) / (MAX_DISCOVERED - 1);
    const nearest = left.reduce((best, cut) =>
      Math.abs(cut.msShare - target) <= Math.abs(best.msShare - target) ? cut : best,
    );
    left.splice(left.indexOf(nearest), 1);
    chosen.push(nearest);
  }
  return chosen.sort((a, b) => a.macsShare - b.macsShare || a.msShare - b.msShare);
}

/** A DNS label of at most 32 characters from a tensor name; a number makes it unique. `backbone` is reserved. */
function exitName(tensor: string, taken: Set<string>): string {
  const label = tensor
    .toLowerCase()
    .replace(/(_output_\d+|:\d+)$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(-MAX_NAME_LENGTH)
    .replace(/^-+|-+$/g, '');
  const base = label === '' || label === 'backbone' ? 'exit' : label;
  let name = base;
  for (let n = 2; taken.has(name); n++) name = `${base.slice(0, MAX_NAME_LENGTH - 3)}-${n}`;
  taken.add(name);
  return name;
}
