import { formatPercent } from '../../../crds/v1alpha1/percent.ts';
import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import { placeFields } from '../../../crds/wire/exit-place.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import type { SelectedExit } from '../select-exits.ts';
import type { PodFacts, StatusFacts } from './facts.ts';

/** States of the pods that have loaded their backbone, those of ready pods first. */
export function loadedStates(pods: readonly PodFacts[]): ServerState[] {
  return [...pods]
    .sort((a, b) => Number(b.isReady) - Number(a.isReady))
    .flatMap(({ server }) => (server?.state?.loaded === true ? [server.state.state] : []));
}

/** Why no pod can have exits, whatever heads there are. While pods roll, one that has a class output speaks for all. */
export function findOutputProblem(
  pods: readonly PodFacts[],
): { readonly reason: 'OutputAmbiguous' | 'NoExits'; readonly message: string } | null {
  const problems = loadedStates(pods).map(({ backbone }) => backbone.outputProblem);
  const [problem] = problems;
  if (problem === undefined || problem === null || problems.includes(null)) return null;
  const reason = problem.code === 'OutputAmbiguous' ? problem.code : 'NoExits';
  return { reason, message: problem.message };
}

/** The backbone as pods report it; what was known last stays while none can be asked. */
export function planBackboneStatus({ pods, previous }: StatusFacts): ServiceStatus['backbone'] {
  const states = loadedStates(pods);
  const [state] = states;
  if (state === undefined) {
    return previous.backbone === undefined
      ? undefined
      : { ...previous.backbone, loadedReplicas: 0 };
  }
  const { backbone, engine } = state;
  return {
    digest: backbone.digest,
    format: backbone.format,
    engine: engine.kind,
    device: engine.device,
    sizeBytes: backbone.sizeBytes,
    ...(backbone.classCount > 0 ? { classCount: backbone.classCount } : {}),
    loadedReplicas: states.filter((other) => other.backbone.digest === backbone.digest).length,
  };
}

/** Exits in force, then those of the spec that cannot be; what was known last stays while no pod can be asked. */
export function planExitStatus(facts: StatusFacts): ServiceStatus['exits'] {
  const { exits, spec, previous } = facts;
  if (exits === null || spec === null) return previous.exits;
  const isDisabled = spec.exitMode === 'Disabled';
  const missing = findOutputProblem(facts.pods)?.reason ?? 'TensorNotFound';
  return [
    ...exits.exits.map((exit) => ({
      name: exit.name,
      ...placeFields(exit),
      costShare: formatPercent(Number(Math.min(1, exit.macsShare).toFixed(3))),
      mode: isDisabled ? 'Disabled' : exit.mode,
      ...(isDisabled ? { reason: 'Disabled' } : planExitShare(facts, exit)),
    })),
    ...exits.missing.map(({ exit, tensor }) => ({ name: exit, tensor, reason: missing })),
    ...exits.companions.map((name) => ({ name, reason: 'CompanionLoadFailed' })),
  ];
}

/** What leaves at an exit that answers, or why none does; what was said last stands while nothing can be decided. */
function planExitShare(
  { lifecycle, previous, pods }: StatusFacts,
  { name, modelDigest }: SelectedExit,
): { readonly exitedShare?: string; readonly reason?: string } {
  if (modelDigest !== undefined && !runsSomewhere(modelDigest, pods)) {
    return { reason: 'CompanionLoadFailed' };
  }
  if (lifecycle === 'Held') {
    const { exitedShare } = previous.exits?.find((exit) => exit.name === name) ?? {};
    return exitedShare === undefined ? { reason: 'NoHeads' } : { exitedShare };
  }
  const exitedShare = lifecycle?.exitedShares.get(name);
  return exitedShare === undefined ? { reason: 'NoHeads' } : { exitedShare };
}

function runsSomewhere(modelDigest: string, pods: readonly PodFacts[]): boolean {
  return loadedStates(pods).some(({ companionModels }) =>
    companionModels?.some(({ digest }) => digest === modelDigest),
  );
}
