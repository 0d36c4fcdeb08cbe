import { ANNOTATIONS } from '../../plan/names.ts';
import { toTime } from '../../plan/status/time.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { unanswered } from '../rollout/send-request.ts';
import { annotate, awaitService, type Wait } from '../service/await-service.ts';
import { getService, getServiceView } from '../service/find-service.ts';
import { conditionOf, type ServiceView } from '../service/service-view.ts';

/** Switches exits off by annotation, for a while or until `exits on`. Resolves once every ready pod has the policy. */
export async function switchExitsOff(
  cluster: Cluster,
  name: string,
  forMs: number | null,
  wait: Wait,
): Promise<string> {
  await getService(cluster, name);
  const until = forMs === null ? null : toTime(cluster.clock.nowMs() + forMs);
  const value = until === null ? 'off' : `off until ${until}`;
  await annotate(cluster, name, ANNOTATIONS.exits, value);
  const off = await awaitService(
    cluster,
    name,
    wait,
    (service) => !areOn(service) && isAcknowledged(service),
  );
  if (off === null) throw unanswered(`layercache.io/exits: ${value}`);
  const end = until === null ? 'until `layercache exits on`' : `until ${until}`;
  return `Exits are off ${end}: the backbone answers everything, and audits go on.`;
}

/** Withdraws that annotation, nothing else: without a certificate in force exits stay off. */
export async function switchExitsOn(cluster: Cluster, name: string, wait: Wait): Promise<string> {
  const before = await getServiceView(cluster, name);
  const wasOff = (before.annotations[ANNOTATIONS.exits] ?? '').trim().startsWith('off');
  if (!wasOff) return `No request had switched them off. ${exitsText(before)}`;
  await annotate(cluster, name, ANNOTATIONS.exits, null);
  const isHeard = (service: ServiceView): boolean =>
    exitsReason(service) !== 'Disabled' || before.settings?.exitMode !== 'Active';
  const heard = await awaitService(cluster, name, wait, isHeard);
  if (heard === null) throw unanswered('layercache.io/exits removed');
  return exitsText(heard);
}

function exitsReason({ status }: ServiceView): string {
  return conditionOf(status.conditions, 'ExitsActive')?.reason ?? '';
}

function areOn({ status }: ServiceView): boolean {
  return conditionOf(status.conditions, 'ExitsActive')?.status === 'True';
}

function isAcknowledged({ status }: ServiceView): boolean {
  const applied = conditionOf(status.conditions, 'PolicyApplied');
  return applied?.status === 'True' || applied?.reason === 'NoReplicas';
}

function exitsText({ name, status }: ServiceView): string {
  const active = conditionOf(status.conditions, 'ExitsActive');
  if (active === undefined) return 'The operator has not reported on them.';
  const state = active.status === 'True' ? 'on' : 'off';
  const more = active.status === 'True' ? '' : ` \`layercache explain ${name}\` tells more.`;
  return `Exits are ${state} (${active.reason}): ${active.message}${more}`;
}
