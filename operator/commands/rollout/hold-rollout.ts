import { measureOf } from '../../../crds/wire/measure.ts';
import { CliError } from '../../errors.ts';
import { ANNOTATIONS } from '../../plan/names.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { annotate, awaitService, type Wait } from '../service/await-service.ts';
import { getServiceView } from '../service/find-service.ts';
import { conditionOf, type ServiceView } from '../service/service-view.ts';
import { unanswered } from './send-request.ts';

/** Holds the step of a rollout by annotation; aborts still fire. Resolves with what became of it. */
export async function pauseRollout(cluster: Cluster, name: string, wait: Wait): Promise<string> {
  const before = await getServiceView(cluster, name);
  await annotate(cluster, name, ANNOTATIONS.rollout, 'paused');
  if (!isRamping(before)) {
    return 'No step is running: the next rollout holds at its first step until you resume it.';
  }
  const held = await awaitService(
    cluster,
    name,
    wait,
    (service) => !isRamping(service) || isPaused(service),
  );
  if (held === null) throw unanswered('layercache.io/rollout: paused');
  return isPaused(held)
    ? `The step is held; ${measureOf(held.settings ?? {}).noun} still aborts it.`
    : 'The rollout ended before it could be held.';
}

/** Takes that annotation away. A spec that says paused is the owner's to change. */
export async function resumeRollout(cluster: Cluster, name: string, wait: Wait): Promise<string> {
  const before = await getServiceView(cluster, name);
  await annotate(cluster, name, ANNOTATIONS.rollout, null);
  if (before.settings?.paused === true) {
    throw new CliError('RequestRefused', {
      where: name,
      why: 'spec.rollout.paused is true, and this program edits no spec.',
      nextStep: 'Set spec.rollout.paused to false.',
    });
  }
  if (!isPaused(before)) return 'It was not held.';
  const going = await awaitService(cluster, name, wait, (service) => !isPaused(service));
  if (going === null) throw unanswered('layercache.io/rollout removed');
  return 'The rollout goes on.';
}

function isRamping({ status }: ServiceView): boolean {
  return status.rollout?.stage === 'Ramping';
}

function isPaused({ status }: ServiceView): boolean {
  return conditionOf(status.conditions, 'RolloutSucceeded')?.reason === 'Paused';
}
