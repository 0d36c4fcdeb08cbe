import { isReason, REASONS } from '../../../crds/v1alpha1/reasons.ts';
import type { Ledger } from '../../lifecycle/ledger.ts';
import { headRevisionName } from '../../plan/names.ts';
import {
  conditionOf,
  type LedgerView,
  type RevisionView,
  type ServiceView,
} from '../service/service-view.ts';
import type { PodTraffic } from '../service/read-pod-traffic.ts';
import { exitsVerdict, explainExits } from './explain-exits.ts';
import { explainRollout } from './explain-rollout.ts';
import type { Explanation, NotReady, Traffic } from './explanation.ts';
import { findMissing } from './find-missing.ts';
import { evidenceOfTracks } from './track-evidence.ts';

export interface ExplainFacts {
  readonly service: ServiceView;
  readonly ledger: LedgerView;
  readonly revisions: readonly RevisionView[];
  /** Null: nobody was asked, or nobody answered. */
  readonly pods: PodTraffic | null;
  readonly nowMs: number;
}

/** Everything that can be said of a service's exits, out of what was read; nothing here asks anybody. */
export function explainService(facts: ExplainFacts): Explanation {
  const {
    service,
    ledger: { ledger, problem },
    pods,
    nowMs,
  } = facts;
  const exits = exitsVerdict(service);
  const traffic = trafficOf(ledger, pods);
  const { rowsPerSecond } = traffic;
  const recordedRows = pods?.recordedRows ?? null;
  const capacityRows = pods?.capacityRows ?? 0;
  const rollout = explainRollout(service);
  return {
    name: service.name,
    namespace: service.namespace,
    notReady: notReady(service),
    exits,
    perExit: explainExits(service, exits, ledger),
    evidence: ledger === null ? [] : evidenceOfTracks(ledger, (digest) => nameOf(facts, digest)),
    traffic,
    missing: findMissing(
      { service, ledger, rowsPerSecond, recordedRows, capacityRows, nowMs },
      exits.reason,
    ),
    rollout,
    nextSteps: nextSteps(service, [exits.reason, ...(rollout.isStopped ? [rollout.reason] : [])]),
    unseen: [
      ...(problem === null ? [] : [`Evidence: ${problem}.`]),
      ...(rowsPerSecond === null
        ? [
            'Traffic: the operator has not measured it yet, and no pod could be asked (right pods/proxy).',
          ]
        : []),
    ],
  };
}

/** The operator's rate is that of all pods over minutes; pods are asked only without it. */
export function trafficOf(ledger: Ledger | null, pods: PodTraffic | null): Traffic {
  const known = ledger?.traffic.rowsPerSecond ?? null;
  if (known !== null) return { rowsPerSecond: known, from: 'operator' };
  const seen = pods?.rowsPerSecond ?? null;
  return seen === null
    ? { rowsPerSecond: null, from: null }
    : { rowsPerSecond: seen, from: 'pods' };
}

function nameOf({ service, revisions }: ExplainFacts, digest: string): string {
  const found = revisions.find((revision) => revision.digest === digest);
  return found?.name ?? headRevisionName(service.name, digest);
}

function notReady({ status }: ServiceView): NotReady | null {
  const ready = conditionOf(status.conditions, 'Ready');
  if (ready === undefined || ready.status === 'True') return null;
  const { reason, message } = ready;
  return { reason, message };
}

/** What the catalogue says of each reason that asks for something, also of an endpoint that is not ready. */
function nextSteps(service: ServiceView, reasons: readonly string[]): readonly string[] {
  const endpoint = notReady(service);
  const asked = endpoint === null ? reasons : [endpoint.reason, ...reasons];
  const steps = asked.flatMap((reason) => {
    const action = isReason(reason) ? REASONS[reason].action : '';
    return action === '' ? [] : [`${reason}: ${action}`];
  });
  return [...new Set(steps)];
}
