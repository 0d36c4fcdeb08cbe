import type { ServerState } from '../../crds/wire/state.ts';
import type { ExitMode } from '../../crds/wire/policy.ts';
import { CliError } from '../errors.ts';
import type { ExitCandidate } from '../lifecycle/types.ts';
import { nearestNames } from '../../crds/schema/edit-distance.ts';
import { discoverExits } from '../plan/discover-exits.ts';
import { inPassingOrder, sourceFields } from '../plan/select-exits.ts';

/** An exit as a manifest names it. */
export interface NamedExit {
  readonly name: string;
  readonly tensor?: string | undefined;
  readonly sourceHeader?: string | undefined;
  readonly mode: ExitMode;
}

type Model = Pick<
  ServerState,
  'cuts' | 'rejectedCuts' | 'backbone' | 'companions' | 'companionModels'
>;

/**
 * Candidate exits in the order in which rows pass them. A manifest's list is matched with the companions that run and with the cuts;
 * without one, up to 8 cuts are chosen whose costs lie most evenly between the first and the last.
 */
export function selectExits(
  model: Model,
  named: readonly NamedExit[] | undefined,
  where: string,
): ExitCandidate[] {
  if (named === undefined) return discoverExits(model.cuts);
  const exits = named.map((exit) =>
    exit.tensor === undefined
      ? matchCompanion(model, exit, where)
      : matchExit(model, { ...exit, tensor: exit.tensor }, where),
  );
  return inPassingOrder(exits);
}

/** Exits of a manifest; a header that the run was given is the one that names sources. @param header null: as in the manifest */
export function withSourceHeader<T extends NamedExit>(
  named: readonly T[] | undefined,
  header: string | null,
): readonly T[] | undefined {
  if (header === null) return named;
  const exits = named?.map((exit) =>
    exit.sourceHeader === undefined ? exit : { ...exit, sourceHeader: header },
  );
  if (exits?.some((exit) => exit.sourceHeader !== undefined) === true) return exits;
  throw new CliError('UsageError', {
    where: `--source-header ${header}`,
    why: 'no exit of the manifest compares frames.',
    nextStep: 'Add sourceHeader to one of spec.exits, or leave the flag out.',
  });
}

/** The exit that compares frames of a source; a disabled one reads no header. */
export function comparingExit(exits: readonly ExitCandidate[]): ExitCandidate | undefined {
  return exits.find(({ sourceHeader, mode }) => sourceHeader !== undefined && mode !== 'Disabled');
}

function matchCompanion(
  { backbone, companions, companionModels }: Model,
  { name, mode }: NamedExit,
  where: string,
): ExitCandidate {
  const found = companionModels?.find((model) => model.name === name);
  if (found !== undefined) {
    const { digest: modelDigest, macs, msShare } = found;
    return { name, modelDigest, mode, macsShare: macs / backbone.macs, msShare };
  }
  const report = companions.find((companion) => companion.name === name);
  throw new CliError('CompanionLoadFailed', {
    where,
    why: `exit ${name}: ${report?.message.replace(/\.?$/, '.') ?? 'the server does not have it.'}`,
  });
}

function matchExit(
  { cuts, rejectedCuts }: Pick<ServerState, 'cuts' | 'rejectedCuts'>,
  exit: NamedExit & { readonly tensor: string },
  where: string,
): ExitCandidate {
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
    ...sourceFields(exit.sourceHeader),
    mode: exit.mode,
    macsShare: cut.macsShare,
    msShare: cut.msShare,
  };
}
