import { nearestNames } from '../../crds/schema/edit-distance.ts';
import type { CachedModelServiceSpec } from '../../crds/v1alpha1/cached-model-service.ts';
import type { ServiceStatus } from '../../crds/v1alpha1/service-status.ts';
import type { ExitPlace } from '../../crds/wire/exit-place.ts';
import type { CutReport, ServerState } from '../../crds/wire/state.ts';
import { discoverExits } from './discover-exits.ts';

type NamedExit = NonNullable<CachedModelServiceSpec['exits']>[number];

/** A candidate exit: a cut of the loaded backbone, or a companion. */
export interface SelectedExit extends ExitPlace {
  readonly name: string;
  readonly tensor?: string;
  readonly modelDigest?: string;
  /** It compares frames of the source that this header names. */
  readonly sourceHeader?: string;
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
  /** In the order in which rows pass them: companions, the cheapest first, then cuts. */
  readonly exits: readonly SelectedExit[];
  /** Exits of the spec whose tensor is no cut. */
  readonly missing: readonly MissingTensor[];
  /** Names of exits whose companions have never run. */
  readonly companions: readonly string[];
}

type Cuts = Pick<ServerState, 'cuts' | 'rejectedCuts'>;
type Model = Cuts & Pick<ServerState, 'backbone' | 'companionModels'>;

/**
 * The exits of a service: those of the spec that are cuts of its backbone; without a list those of the last status, which
 * were discovered for the same backbone, else up to 8 chosen now. An exit keeps its name for as long as its backbone.
 */
export function selectExits(
  model: Model,
  named: readonly NamedExit[] | undefined,
  previous: ServiceStatus,
): SelectedExits {
  const recorded = previous.backbone?.digest === model.backbone.digest ? previous.exits : undefined;
  if (named !== undefined) return matchExits(model, named, recorded ?? []);
  const known = (recorded ?? []).flatMap(({ name, tensor }) => {
    const cut = model.cuts.find((entry) => entry.tensor === tensor);
    return cut === undefined ? [] : [toExit(name, cut, 'Active')];
  });
  const exits = known.length > 0 ? inPassingOrder(known) : discoverExits(model.cuts);
  return { exits, missing: [], companions: [] };
}

function matchExits(
  model: Model,
  named: readonly NamedExit[],
  recorded: RecordedExits,
): SelectedExits {
  const exits: SelectedExit[] = [];
  const missing: MissingTensor[] = [];
  const companions: string[] = [];
  for (const { name, tensor, sourceHeader, mode } of named) {
    const cut = model.cuts.find((entry) => entry.tensor === tensor);
    const companion = tensor === undefined ? findCompanion(name, model, recorded) : null;
    if (cut !== undefined)
      exits.push({ ...toExit(name, cut, mode), ...sourceFields(sourceHeader) });
    else if (companion !== null) exits.push({ name, ...companion, mode });
    else if (tensor === undefined) companions.push(name);
    else missing.push({ exit: name, tensor, hint: explainMissing(model, tensor) });
  }
  return { exits: inPassingOrder(exits), missing, companions };
}

type RecordedExits = NonNullable<ServiceStatus['exits']>;

/**
 * A companion that ran once stays an exit while it cannot be loaded: otherwise a registry that is down for a minute would void
 * heads and evidence. Pods without it refuse the policy, which keeps their exits off.
 */
function findCompanion(
  exit: string,
  { companionModels, backbone }: Model,
  recorded: RecordedExits,
): Pick<SelectedExit, 'modelDigest' | 'macsShare' | 'msShare'> | null {
  const found = companionModels?.find(({ name }) => name === exit);
  if (found !== undefined) {
    const { digest: modelDigest, macs, msShare } = found;
    return { modelDigest, macsShare: macs / backbone.macs, msShare };
  }
  const modelDigest = recorded.find(({ name }) => name === exit)?.modelDigest;
  return modelDigest === undefined ? null : { modelDigest, macsShare: 0, msShare: 0 };
}

function toExit(name: string, cut: CutReport, mode: NamedExit['mode']): SelectedExit {
  const { tensor, macsShare, msShare } = cut;
  return { name, tensor, mode, macsShare, msShare };
}

/** As exits and policies carry it. */
export function sourceFields(sourceHeader: string | undefined): { readonly sourceHeader?: string } {
  return sourceHeader === undefined ? {} : { sourceHeader };
}

type Passed = Pick<SelectedExit, 'modelDigest' | 'macsShare'>;

/** As rows pass them in a server: companions, the cheapest first and of equals by digest, then cuts. */
export function inPassingOrder<T extends Passed>(exits: readonly T[]): T[] {
  const isCut = ({ modelDigest }: Passed): number => Number(modelDigest === undefined);
  return [...exits].sort(
    (a, b) =>
      isCut(a) - isCut(b) ||
      a.macsShare - b.macsShare ||
      (a.modelDigest ?? '').localeCompare(b.modelDigest ?? ''),
  );
}

function explainMissing({ cuts, rejectedCuts }: Cuts, tensor: string): string {
  const reason = rejectedCuts.find((entry) => entry.tensor === tensor)?.reason;
  const near = nearestNames(
    tensor,
    cuts.map((cut) => cut.tensor),
  );
  const meant = near.length > 0 ? `; did you mean ${near.join(', ')}?` : '';
  return `${reason === undefined ? 'is no cut of the backbone' : `is no cut (${reason})`}${meant}`;
}
