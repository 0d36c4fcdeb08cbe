import { keyOf, type KubeObject } from '../../kube/api.ts';
import { isTerminating } from '../../kube/owner.ts';
import type { PassResult } from '../../kube/work-queue.ts';
import { applyChildren } from './apply-children.ts';
import { decide, decideForeign, isSuperseded, type Decision } from './decide.ts';
import { toFleetPods } from './fleet-pods.ts';
import { gather, type Gathered } from './gather.ts';
import { isCollecting, isTesting } from './lifecycle/run-lifecycle.ts';
import { countedBoots } from './lifecycle/read-ledger.ts';
import { runHeads } from './lifecycle/run-heads.ts';
import { PassAttempt } from './pass-attempt.ts';
import type { ServiceMemory } from './service-memory.ts';
import type { ServicePass } from './service-pass.ts';
import type { ServiceShell } from './service-shell.ts';
import type { ChildrenInput } from '../../plan/children.ts';
import type { StatusFacts } from '../../plan/status/facts.ts';
import { toStatusFacts } from './status-facts.ts';
import { tellForeign, withdrawContenders } from './tell-foreign.ts';
import { writeStatus } from './write-status.ts';

const POLL_MS = 30_000;
const TEST_POLL_MS = 10_000;
/** ConfigMaps of users and objects of others are not watched. */
const UNWATCHED_MS = 30_000;

/** One pass over a service that exists: gather, decide, apply, status. */
export async function reconcileService(
  shell: ServiceShell,
  cached: KubeObject,
  memory: ServiceMemory,
): Promise<PassResult> {
  const { clock, log } = shell.deps;
  const { kind, metadata } = cached;
  const object = memory.written.latest({ kind, name: metadata.name }, cached, clock.monotonicMs());
  if (object === null) {
    leave(shell, cached);
    // An API server that lags says of a service that was made anew that it is gone, and no event follows.
    return { kind: 'RequeueAfter', delayMs: memory.written.untilMs() - clock.monotonicMs() };
  }
  // Being deleted, or made for nothing: the garbage collector does the rest.
  if (isTerminating(cached) || memory.isNamespaceEnding) return leave(shell, cached);
  const attempt = new PassAttempt(
    memory,
    () => clock.monotonicMs(),
    ({ verb, kind: of, name }, err) => {
      log.warn({ key: keyOf(cached), verb, kind: of, name, err }, 'call refused');
    },
  );
  const gathered = await gather(shell, object, memory, attempt);
  const again = { delayMs: Infinity };
  const lookAgain = (delayMs: number): void => {
    again.delayMs = Math.min(again.delayMs, delayMs);
  };
  const pass: ServicePass = { shell, memory, gathered, attempt, lookAgain };
  follow(pass);
  await act(pass);
  if (isEnding(memory)) return leave(shell, cached);
  if (attempt.error !== null) throw attempt.error;
  memory.written.passed();
  lookAgain(memory.written.untilMs() - clock.monotonicMs());
  return { kind: 'RequeueAfter', delayMs: Math.max(0, again.delayMs) };
}

/** Asked again after calls: one of them may have found out. */
function isEnding({ isNamespaceEnding }: ServiceMemory): boolean {
  return isNamespaceEnding;
}

function leave({ fleet }: ServiceShell, cached: KubeObject): PassResult {
  const key = keyOf(cached);
  fleet.unfollow(key);
  fleet.followTrainer(key, null);
  return { kind: 'Done' };
}

/** Its pods are asked from now on; more often while heads are tested. */
function follow(pass: ServicePass): void {
  const { shell, gathered, memory } = pass;
  const { key, pods, object } = gathered;
  const { lifecycle } = memory;
  const pollMs = isTesting(lifecycle.ledger) ? TEST_POLL_MS : POLL_MS;
  const needsFigures = isCollecting(lifecycle);
  shell.fleet.follow(key, {
    pods: toFleetPods(pods, object.metadata.name),
    ...{ pollMs, needsFigures },
    counted: () => countedBoots(pass),
  });
}

async function act(pass: ServicePass): Promise<void> {
  const { shell, gathered, memory, attempt } = pass;
  const { deps } = shell;
  const { service } = gathered;
  const foreign = decideForeign(gathered, deps.installation);
  if (foreign !== null) {
    await tellForeign(pass, foreign);
    pass.lookAgain(UNWATCHED_MS);
    return;
  }
  const { writer } = deps;
  if (isSuperseded(gathered, { remembered: memory.policy, writer })) {
    deps.log.error({ key: gathered.key }, 'another process has taken this service over');
    return;
  }
  let decision: Decision | null = null;
  let lifecycle: StatusFacts['lifecycle'] = null;
  if (service !== null) {
    const { installation, defaults } = deps;
    const leaseTransitions = deps.leaseTransitions();
    const remembered = memory.policy;
    const heads = await runHeads(pass, service);
    const input = {
      ...{ gathered, installation, defaults, remembered, writer, leaseTransitions },
      planChildren: (asked: ChildrenInput) => memory.children.plan(asked),
    };
    decision = decide({ ...input, ...heads }, service);
    if (gathered.namesConfigMaps) pass.lookAgain(UNWATCHED_MS);
    await applyChildren(pass, decision);
    await heads.afterPolicy(decision.admin.adminGeneration);
    lifecycle = heads.facts;
  }
  if (attempt.isStopped || memory.isNamespaceEnding) return;
  const after = { ...pass, gathered: afterApply(pass) };
  const { heads } = memory.lifecycle;
  await writeStatus(after, toStatusFacts(after.gathered, decision, attempt, { lifecycle, heads }));
  await withdrawContenders(pass);
}

/** The same facts with children as the API server answered them. */
function afterApply({ gathered, memory }: ServicePass): Gathered {
  return { ...gathered, live: memory.written.over(gathered.live) };
}
