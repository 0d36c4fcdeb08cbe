import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import { readServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import { canonicalJson } from '../../../crds/wire/json.ts';
import type { KubeObject } from '../../kube/api.ts';
import { createApplier } from '../../kube/apply.ts';
import { KINDS } from '../../kube/kinds.ts';
import { ownsExactly } from '../../kube/owned-fields.ts';
import {
  contenderManager,
  describeForeign,
  planForeignConditions,
  planWithdrawals,
} from '../../plan/status/foreign.ts';
import type { ServicePass } from './service-pass.ts';

const REASON = 'ForeignOperator';
const RETRY_MS = 1_000;

/** An installation that finds another one writing says so by an event and by conditions of its own, and does nothing else. */
export async function tellForeign(pass: ServicePass, foreign: string): Promise<void> {
  const { gathered, shell } = pass;
  const { object, previous: status, nowMs } = gathered;
  const { installation: own, events } = shell.deps;
  const facts = { object, status, foreign, own, nowMs };
  await applyConditions(pass, contenderManager(own), planForeignConditions(facts));
  events.record({
    regarding: object,
    type: 'Warning',
    reason: REASON,
    action: 'Reconcile',
    note: describeForeign(facts),
  });
}

/**
 * What contenders said and nobody stands for any more goes, once the status itself is written: a condition that both have
 * written would be left without its fields.
 */
export async function withdrawContenders(pass: ServicePass): Promise<void> {
  const { gathered, shell, lookAgain } = pass;
  const { object, previous: status, nowMs } = gathered;
  const own = shell.deps.installation;
  const { withdraw, retryMs } = planWithdrawals({ object, status, own, nowMs });
  if (withdraw.length > 0 && isContradicted(latest(pass))) {
    lookAgain(RETRY_MS);
    return;
  }
  for (const manager of withdraw) await applyConditions(pass, manager, []);
  if (retryMs !== null) lookAgain(retryMs);
}

/** Ready is still a contender's. */
function isContradicted(live: KubeObject | null): boolean {
  const { conditions } = readServiceStatus(live?.status ?? {});
  return conditions?.some(({ type, reason }) => type === 'Ready' && reason === REASON) === true;
}

function latest({ gathered, memory, shell }: ServicePass): KubeObject | null {
  const { kind, metadata } = gathered.object;
  const nowMs = shell.deps.clock.monotonicMs();
  return memory.written.latest({ kind, name: metadata.name }, gathered.object, nowMs);
}

async function applyConditions(
  pass: ServicePass,
  manager: string,
  conditions: readonly Condition[],
): Promise<void> {
  const { gathered, shell, attempt, memory } = pass;
  const { object, key } = gathered;
  const { api, clock, log } = shell.deps;
  const { name, namespace = '' } = object.metadata;
  const { apiVersion, kind } = KINDS.CachedModelService;
  // An empty status would be a field of its own.
  const said = conditions.length === 0 ? {} : { status: { conditions } };
  const body: KubeObject = { apiVersion, kind, metadata: { name, namespace }, ...said };
  const live = latest(pass);
  if (live === null || isSaid(live, conditions, manager)) return;
  const part = { verb: 'patch', kind: 'CachedModelService', name, body } as const;
  const applier = createApplier(api, manager);
  const applied = await attempt.run(part, () =>
    applier.apply(body, { live, subresource: 'status' }),
  );
  if (applied === null) return;
  memory.written.wrote(applied.object, clock.monotonicMs());
  log.info({ controller: 'cached-model-service', key, manager }, 'contender told');
}

/** By the object itself: nothing is remembered of it. Conditions of others stand in the same list. */
function isSaid(live: KubeObject, conditions: readonly Condition[], manager: string): boolean {
  const { managedFields = [] } = live.metadata;
  if (conditions.length === 0) return managedFields.every((entry) => entry.manager !== manager);
  const owner = { fieldManager: manager, subresource: 'status' } as const;
  if (!ownsExactly(live, { status: { conditions } }, owner)) return false;
  const { conditions: there = [] } = readServiceStatus(live.status ?? {});
  const texts = new Set(there.map((condition) => canonicalJson(condition)));
  return conditions.every((condition) => texts.has(canonicalJson(condition)));
}
