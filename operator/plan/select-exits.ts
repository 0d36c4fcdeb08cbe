import { nearestNames } from '../../crds/schema/edit-distance.ts';
import type { CachedModelServiceSpec } from '../../crds/v1alpha1/cached-model-service.ts';
import type { ServiceStatus } from '../../crds/v1alpha1/service-status.ts';
import type { CutReport, ServerState } from '../../crds/wire/state.ts';
import { discoverExits } from './discover-exits.ts';

type NamedExit = NonNullable<CachedModelServiceSpec['exits']>[number];

/** A candidate exit of the loaded backbone. */
export interface SelectedExit {
  readonly name: string;
  readonly tensor: string;
  readonly mode: NamedExit['mode'];
  readonly macsShare: number;
  readonly msShare: number;
}

export interface MissingTensor {
  readonly exit: string;
  readonly tensor: string;
  /** Half a sentence: why, and what may have been meant. */
  readonly hint: string;
}

export interface SelectedExits {
  /** In backbone order. */
  readonly exits: readonly SelectedExit[];
  /** Exits of the spec whose tensor is no cut. */
  readonly missing: readonly MissingTensor[];
  /** Names of exits that are companion models. */
  readonly companions: readonly string[];
}

type Model = Pick<ServerState, 'cuts' | 'rejectedCuts'>;

/**
 * The exits of a service: those of the spec that are cuts of its backbone; without a list those of the last status, which
 * were discovered for the same backbone, else up to 8 chosen now. An exit keeps its name for as long as its backbone.
 */
export function selectExits(
  model: Model & Pick<ServerState, 'backbone'>,
  named: readonly NamedExit[] | undefined,
  previous: ServiceStatus,
): SelectedExits {
  if (named !== undefined) return matchExits(model, named);
  const recorded = previous.backbone?.digest === model.backbone.digest ? previous.exits : undefined;
  const known = (recorded ?? []).flatMap(({ name, tensor }) => {
    const cut = model.cuts.find((entry) => entry.tensor === tensor);
    return cut === undefined ? [] : [toExit(name, cut, 'Active')];
  });
  const exits = known.length > 0 ? inBackboneOrder(known) : discoverExits(model.cuts);
  return { exits, missing: [], companions: [] };
}

function matchExits(model: Model, named: readonly NamedExit[]): SelectedExits {
  const exits: SelectedExit[] = [];
  const missing: MissingTensor[] = [];
  const companions: string[] = [];
  for (const { name, tensor, mode } of named) {
    const cut = model.cuts.find((entry) => entry.tensor === tensor);
    if (cut !== undefined) exits.push(toExit(name, cut, mode));
    else if (tensor === undefined) companions.push(name);
    else missing.push({ exit: name, tensor, hint: explainMissing(model, tensor) });
  }
  return { exits: inBackboneOrder(exits), missing, companions };
}

function toExit(name: string, cut: CutReport, mode: NamedExit['mode']): SelectedExit {
  const { tensor, macsShare, msShare } = cut;
  return { name, tensor, mode, macsShare, msShare };
}

function inBackboneOrder(exits: readonly SelectedExit[]): SelectedExit[] {
  return [...exits].sort((a, b) => a.macsShare - b.macsShare);
}

function explainMissing({ cuts, rejectedCuts }: Model, tensor: string): string {
  const reason = rejectedCuts.find((entry) => entry.tensor === tensor)?.reason;
  const near = nearestNames(
    tensor,
    cuts.map((cut) => cut.tensor),
  );
  const meant = near.length > 0 ? `; did you mean ${near.join(', ')}?` : '';
  return `${reason === undefined ? 'is no cut of the backbone' : `is no cut (${reason})`}${meant}`;
}
