import { refOf, type KubeObject } from '../../kube/api.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';
import type { Applied } from '../../kube/apply.ts';
import type { KindName } from '../../kube/kinds.ts';
import { REASONS } from '../../../crds/v1alpha1/reasons.ts';
import { planRevert } from '../../plan/reverts.ts';
import { liveOf } from './gather.ts';
import type { ChildKind } from '../caches.ts';
import { digestOf, type Part } from './pass-attempt.ts';
import type { ServicePass } from './service-pass.ts';

/**
 * Applies one child unless it says the same already. Edits by others are put right, five times in ten minutes, then once in
 * five minutes. Null: not written, for a reason that the attempt has kept.
 */
export async function applyChild(
  pass: ServicePass,
  body: KubeObject,
  how: { readonly isConditional?: boolean } = {},
): Promise<Applied | null> {
  const { shell, memory, gathered, attempt } = pass;
  const kind = body.kind as ChildKind;
  const { name } = body.metadata;
  const id = `${kind}/${name}`;
  const live = liveOf(gathered, kind, name);
  const digest = digestOf(body);
  const nowMs = shell.deps.clock.monotonicMs();
  const reverts = memory.reverts.get(id);
  const isRepetition = reverts?.digest === digest;
  const revert = planRevert(isRepetition ? reverts.timesMs : [], nowMs);
  if (!revert.isDue) {
    pass.lookAgain(Number(revert.retryAtMs) - nowMs);
    return null;
  }
  const applied = await attempt.run(partOf(body, live), () =>
    applyOrFind(pass, body, { ...how, live }),
  );
  if (applied === null) return null;
  if (applied.outcome !== 'Skipped') {
    memory.written.wrote(applied.object, shell.deps.clock.monotonicMs());
    tell(pass, body, applied.outcome);
  }
  if (applied.outcome === 'Reverted') {
    memory.reverts.set(id, { digest, timesMs: revert.revertTimesMs });
    if (revert.isRepeated) tellRepeatedEdits(pass, body);
  } else if (!isRepetition) {
    memory.reverts.set(id, { digest, timesMs: [] });
  }
  return applied;
}

function partOf(body: KubeObject, live: KubeObject | null): Part {
  const { name } = body.metadata;
  return { verb: 'patch', kind: body.kind as KindName, name, body, uid: live?.metadata.uid };
}

/** A 409 where nothing was known means that the name is taken: who has it, the next pass asks. */
async function applyOrFind(
  { shell, memory }: ServicePass,
  body: KubeObject,
  to: { readonly live: KubeObject | null; readonly isConditional?: boolean },
): Promise<Applied> {
  try {
    return await shell.applier.apply(body, to);
  } catch (error) {
    const isTaken = error instanceof ApiStatusError && error.status === 409 && to.live === null;
    if (isTaken) memory.strays.set(`${body.kind}/${body.metadata.name}`, refOf(body));
    throw error;
  }
}

function tell({ shell, gathered }: ServicePass, body: KubeObject, outcome: string): void {
  const facts = { controller: 'cached-model-service', key: gathered.key, kind: body.kind };
  shell.deps.log.info({ ...facts, name: body.metadata.name, outcome }, 'child applied');
}

function tellRepeatedEdits({ shell, gathered }: ServicePass, body: KubeObject): void {
  const reason = 'ChildEditedRepeatedly';
  shell.deps.events.record({
    regarding: gathered.object,
    type: 'Warning',
    reason,
    action: 'RevertEdit',
    note: `${body.kind} ${body.metadata.name} is edited again and again; it is put right every 5 minutes from now on. ${REASONS[reason].action}`,
  });
}
