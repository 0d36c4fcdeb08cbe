import { KINDS } from '../../kube/kinds.ts';
import { refOf, type Api, type KubeObject } from '../../kube/api.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';
import { getOrNull } from '../../kube/get-or-null.ts';
import { TerminalError } from '../../kube/terminal-error.ts';
import { planStatus } from '../../plan/status/plan-status.ts';
import type { StatusFacts } from '../../plan/status/facts.ts';
import type { PlannedEvent } from '../../plan/status/events.ts';
import { statusWriteDelayMs } from '../../plan/status/write-delay.ts';
import type { ServicePass } from './service-pass.ts';
import { statusHoldMs } from './status-hold.ts';

const FORBIDDEN_MS = 300_000;

/** Writes the status when it says something new, and then tells the events that belong to it. */
export async function writeStatus(pass: ServicePass, facts: StatusFacts): Promise<void> {
  const { shell, memory, gathered, lookAgain } = pass;
  const { clock, metrics } = shell.deps;
  const holdMs = statusHoldMs(pass);
  if (holdMs > 0) {
    lookAgain(holdMs);
    return;
  }
  const { status, events, nextCheckMs } = planStatus(facts);
  lookAgain(nextCheckMs);
  const { previous: live, key } = gathered;
  const { lastStatusWriteMs: lastWriteMs } = memory;
  const nowMs = clock.monotonicMs();
  const services = shell.caches.services.size;
  const delayMs = statusWriteDelayMs({ live, next: status, lastWriteMs, nowMs, services });
  if (delayMs !== null && delayMs > 0) {
    lookAgain(delayMs);
    return;
  }
  if (delayMs === 0) {
    if (!(await apply(pass, status))) return;
    memory.lifecycle.unshown = [];
    memory.lastStatusWriteMs = clock.monotonicMs();
    for (const event of events) tell(pass, event);
  }
  metrics.serviceReported(key, status, facts.spec?.accuracy.maxDisagreement ?? null);
}

/** Whether it was written. */
async function apply(
  { shell, memory, gathered, lookAgain }: ServicePass,
  status: object,
): Promise<boolean> {
  const { deps, applier } = shell;
  const { object } = gathered;
  const { name, namespace = '' } = object.metadata;
  const { apiVersion, kind } = KINDS.CachedModelService;
  const body = { apiVersion, kind, metadata: { name, namespace }, status } as KubeObject;
  try {
    const applied = await applier.apply(body, { live: object, subresource: 'status' });
    memory.written.wrote(applied.object, deps.clock.monotonicMs());
    return true;
  } catch (error) {
    if (!(error instanceof ApiStatusError)) throw error;
    // Deleted meanwhile: there is nobody to tell.
    if (error.isNotFound) return false;
    if (error.isConflict && (await isReplaced(deps.api, object))) {
      // Its cache has not heard of it. Children of a dead owner would come and be collected as fast as events arrive.
      memory.written.deleted(object, deps.clock.monotonicMs());
      return false;
    }
    if (error.isForbidden) {
      deps.log.error({ key: gathered.key, err: error }, 'status refused');
      lookAgain(FORBIDDEN_MS);
      return false;
    }
    if (!error.isInvalid) throw error;
    const note = `The status cannot be written: ${error.detail}`;
    tell({ shell, gathered }, { type: 'Warning', reason: 'InvalidSpec', message: note });
    throw new TerminalError('InvalidSpec', note, error);
  }
}

/** Whether the service is gone, and at most another one has its name: asked of the API server, not of a cache. */
async function isReplaced(api: Api, object: KubeObject): Promise<boolean> {
  const live = await getOrNull(api, refOf(object));
  return live?.metadata.uid !== object.metadata.uid;
}

function tell(
  { shell, gathered }: Pick<ServicePass, 'shell' | 'gathered'>,
  { type, reason, message }: PlannedEvent,
): void {
  shell.deps.events.record({
    ...{ regarding: gathered.object, type, reason },
    action: 'Reconcile',
    note: message,
  });
}
