import type { CachedModelServiceSpec } from '../../../crds/v1alpha1/cached-model-service.ts';
import { formatPercent } from '../../../crds/v1alpha1/percent.ts';
import type { Reason } from '../../../crds/v1alpha1/reasons.ts';
import { findOutputProblem } from './backbone-status.ts';
import type { StatusFacts } from './facts.ts';
import { toVerdict, withNextStep, type Verdict } from './verdict.ts';

type Spec = CachedModelServiceSpec;
type Check = (spec: Spec, facts: StatusFacts) => Verdict | null;

/** From what the spec asks for to what the backbone allows to what is still missing. */
const CHECKS: readonly Check[] = [
  namesNoExits,
  switchesThemOff,
  hasNoClassOutput,
  findsNoCut,
  hasBrokenCompanion,
  pinsNoUsableHeads,
  trainsNothing,
  onlyRecommends,
];

/** Whether requests may leave early: without heads none may, and the reason says what heads wait for. */
export function assessExitsActive(facts: StatusFacts): Verdict {
  const { spec } = facts;
  if (spec === null) {
    const what = `The spec is not applied: ${String(facts.specProblem)}`;
    return toVerdict('Unknown', 'InvalidSpec', what);
  }
  for (const check of CHECKS) {
    const verdict = check(spec, facts);
    if (verdict !== null) return verdict;
  }
  return toVerdict('False', 'CollectingSamples', describeSamples(facts));
}

function namesNoExits({ exits }: Spec): Verdict | null {
  if (exits?.length !== 0) return null;
  return toVerdict('False', 'NoExits', 'spec.exits is an empty list: the plain backbone serves');
}

function switchesThemOff({ exitMode, accuracy }: Spec): Verdict | null {
  if (exitMode !== 'Active') return toVerdict('False', 'Disabled', `spec.exitMode is ${exitMode}`);
  if (accuracy.maxDisagreement > 0) return null;
  const what = `spec.accuracy.maxDisagreement is ${formatPercent(0)}: no request may ever leave early`;
  return toVerdict('False', 'Disabled', what);
}

function hasNoClassOutput(_: Spec, { pods }: StatusFacts): Verdict | null {
  const problem = findOutputProblem(pods);
  return problem === null ? null : saidByServer(problem.reason, problem.message);
}

function findsNoCut(spec: Spec, { exits }: StatusFacts): Verdict | null {
  if (exits === null) {
    return toVerdict('Unknown', 'Starting', 'No pod has loaded the backbone yet');
  }
  if (spec.exits === undefined && exits.exits.length === 0) {
    return toVerdict('False', 'NoExits', 'The backbone has no tensor where it can be cut');
  }
  if (exits.missing.length === 0) return null;
  const shown = exits.missing.map(({ exit, tensor, hint }) => `exit ${exit}: ${tensor} ${hint}`);
  return toVerdict('False', 'TensorNotFound', shown.join('; '));
}

function hasBrokenCompanion(_: Spec, { pods }: StatusFacts): Verdict | null {
  for (const { server } of pods) {
    const [report] = server?.state?.state.companions ?? [];
    if (report !== undefined) {
      return saidByServer(report.code, `Exit ${report.name}: ${report.message}`);
    }
  }
  return null;
}

/** Its sentences end with the next step, which fits the cause better than what can be said of the reason in general. */
function saidByServer(reason: Reason, message: string): Verdict {
  return { status: 'False', reason, message: withNextStep(message, '') };
}

function pinsNoUsableHeads(_: Spec, { pinnedHeads }: StatusFacts): Verdict | null {
  if (pinnedHeads === null || pinnedHeads.code === 'Usable') return null;
  return toVerdict('False', pinnedHeads.code, pinnedHeads.message);
}

function trainsNothing({ heads, tuning }: Spec): Verdict | null {
  if (heads.revision !== undefined) return null;
  if (tuning.mode !== 'Off' && heads.training.mode !== 'Off') return null;
  const field = tuning.mode === 'Off' ? 'tuning.mode' : 'heads.training.mode';
  return toVerdict('False', 'NoHeads', `There are no heads, and ${field} is Off`);
}

/** Also while samples are collected: whatever comes of them, it changes nothing by itself. */
function onlyRecommends({ heads, tuning }: Spec, facts: StatusFacts): Verdict | null {
  if (tuning.mode !== 'Recommend' || heads.revision !== undefined) return null;
  const what = `tuning.mode is Recommend, so heads are not rolled out. ${describeSamples(facts)}`;
  return toVerdict('False', 'RecommendOnly', what);
}

function describeSamples({ pods }: StatusFacts): string {
  const rows = pods.reduce((sum, { server }) => {
    const state = server?.state;
    return state?.loaded === true ? sum + state.state.samples.long : sum;
  }, 0);
  return `The backbone answers everything; ${rows} rows are recorded`;
}
