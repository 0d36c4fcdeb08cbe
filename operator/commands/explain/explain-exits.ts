import { isReason, REASONS } from '../../../crds/v1alpha1/reasons.ts';
import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { Ledger } from '../../lifecycle/ledger.ts';
import { conditionOf, type ServiceView } from '../service/service-view.ts';
import type { ExitReason, ExitsVerdict } from './explanation.ts';

/** An exit as the operator reports it. */
export type ExitStatus = NonNullable<ServiceStatus['exits']>[number];

/** Whether anything may leave early, as the operator last said. */
export function exitsVerdict({ status, generation, settingsProblem }: ServiceView): ExitsVerdict {
  const active = conditionOf(status.conditions, 'ExitsActive');
  if (active === undefined) {
    const what =
      settingsProblem === null
        ? 'The operator has not reported on this service: does it run, and does it watch this namespace?'
        : `The spec breaks a rule: ${settingsProblem}`;
    return { state: 'Unknown', reason: 'Unreported', message: what, since: null };
  }
  const isOld = active.observedGeneration !== undefined && active.observedGeneration < generation;
  const note = isOld ? ' (About an earlier spec: the operator has not caught up.)' : '';
  return {
    state: active.status === 'True' ? 'On' : active.status === 'False' ? 'Off' : 'Unknown',
    reason: active.reason,
    message: `${active.message}${note}`,
    since: active.lastTransitionTime,
  };
}

/** Of each exit, whether it answers and why, from what holds for all to what holds for it alone. */
export function explainExits(
  { status: { exits = [] } }: ServiceView,
  verdict: ExitsVerdict,
  ledger: Ledger | null,
): readonly ExitReason[] {
  return exits.map((exit) => ({
    name: exit.name,
    place: exit.tensor ?? exit.modelDigest ?? null,
    ...reasonOf(exit, verdict, ledger),
  }));
}

type Answer = Pick<ExitReason, 'answers' | 'why'>;

function reasonOf(exit: ExitStatus, verdict: ExitsVerdict, ledger: Ledger | null): Answer {
  return ownReason(exit) ?? sharedReason(exit, verdict, ledger);
}

const off = (why: string): Answer => ({ answers: false, why });

/** What stands at the exit itself; `NoHeads` is said of every exit that does not answer. */
function ownReason({ mode, reason }: ExitStatus): Answer | null {
  if (reason !== undefined && reason !== 'NoHeads') return off(`${reason}: ${meaningOf(reason)}`);
  if (mode === 'Disabled') return off('mode Disabled: its head is not run');
  if (mode !== 'Shadow') return null;
  return off('mode Shadow: its head runs on audited rows and answers nothing');
}

function sharedReason(
  { exitedShare, name }: ExitStatus,
  verdict: ExitsVerdict,
  ledger: Ledger | null,
): Answer {
  if (verdict.state !== 'On') return off(`all exits are off (${verdict.reason})`);
  if (exitedShare !== undefined) {
    return { answers: true, why: `${exitedShare} of requests leave here, with a certificate` };
  }
  if (isRampedAt(name, ledger)) {
    return { answers: true, why: 'the candidate answers here for its share of the traffic' };
  }
  return off(
    'the heads in force have none for it: the tuner chose others, or its head was not good enough',
  );
}

function isRampedAt(name: string, ledger: Ledger | null): boolean {
  const candidate = ledger?.candidate ?? null;
  const isRamping = (candidate?.ramp ?? null) !== null;
  return isRamping && candidate?.exits.includes(name) === true;
}

function meaningOf(reason: string): string {
  return isReason(reason) ? REASONS[reason].meaning : 'a newer operator says so';
}
