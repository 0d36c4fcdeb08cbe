import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import type { Reason } from '../../../crds/v1alpha1/reasons.ts';
import { assessAutoscalingActive } from './autoscaling-active.ts';
import { assessAvailable } from './available.ts';
import { assessExitsActive } from './exits-active.ts';
import type { StatusFacts } from './facts.ts';
import { assessRolloutSucceeded, assessWithinBudget } from './head-conditions.ts';
import { assessPolicyApplied } from './policy-applied.ts';
import { toTime } from './time.ts';
import { assessValid } from './valid.ts';
import { toVerdict, type Verdict } from './verdict.ts';

/** All conditions of a service in the order of the reference; one that does not apply is left out. */
export function assessConditions(facts: StatusFacts): Condition[] {
  const valid = assessValid(facts);
  const available = assessAvailable(facts);
  const verdicts: readonly (readonly [type: string, verdict: Verdict | null])[] = [
    ['Ready', assessReady(valid, available)],
    ['Valid', valid],
    ['Available', available],
    ['PolicyApplied', assessPolicyApplied(facts)],
    ['ExitsActive', assessExits(facts)],
    ['WithinBudget', ofHeads(facts, 'WithinBudget', 'withinBudget') ?? assessWithinBudget()],
    [
      'RolloutSucceeded',
      ofHeads(facts, 'RolloutSucceeded', 'rolloutSucceeded') ?? assessRolloutSucceeded(),
    ],
    ['Trained', ofHeads(facts, 'Trained', 'trained')],
    ['AutoscalingActive', assessAutoscalingActive(facts)],
    ['Stalled', assessStalled(facts, valid)],
  ];
  return verdicts.flatMap(([type, verdict]) =>
    verdict === null ? [] : [toCondition(type, verdict, facts)],
  );
}

/** What the spec rules out comes first; then what the heads are at. */
function assessExits(facts: StatusFacts): Verdict {
  const verdict = assessExitsActive(facts);
  if (!OF_HEADS.has(verdict.reason)) return verdict;
  return ofHeads(facts, 'ExitsActive', 'exitsActive') ?? verdict;
}

/** Nothing in spec or backbone is in the way. */
const OF_HEADS: ReadonlySet<string> = new Set(['CollectingSamples', 'NoHeads']);

type HeadVerdict = 'exitsActive' | 'withinBudget' | 'rolloutSucceeded' | 'trained';

function ofHeads(
  { lifecycle, previous }: StatusFacts,
  type: string,
  name: HeadVerdict,
): Verdict | null {
  if (lifecycle !== 'Held') return lifecycle === null ? null : lifecycle[name];
  const before = previous.conditions?.find((condition) => condition.type === type);
  if (before === undefined) return null;
  // Reasons of conditions come from the catalogue.
  return { status: before.status, reason: before.reason as Reason, message: before.message };
}

/** About the backbone alone: trouble with heads, exits or rollouts never makes it False. */
function assessReady(valid: Verdict, available: Verdict): Verdict {
  if (valid.status !== 'True') return valid;
  if (available.status !== 'True') return available;
  return toVerdict('True', 'Serving', 'The endpoint answers for this generation.');
}

/** For kstatus: the object will not get on without a person. */
function assessStalled({ deployment }: StatusFacts, valid: Verdict): Verdict | null {
  if (valid.status === 'False') return { ...valid, status: 'True' };
  const late = deployment?.deadlineExceeded ?? null;
  return late === null ? null : toVerdict('True', 'ProgressDeadlineExceeded', late);
}

/** The time of the last transition moves with the status only, as metav1.Condition has it. */
function toCondition(type: string, verdict: Verdict, facts: StatusFacts): Condition {
  const before = facts.previous.conditions?.find((condition) => condition.type === type);
  const lastTransitionTime =
    before?.status === verdict.status ? before.lastTransitionTime : toTime(facts.nowMs);
  return { type, ...verdict, observedGeneration: facts.generation, lastTransitionTime };
}
