import type { ServiceSettings } from '../../../../crds/v1alpha1/settings.ts';
import type { Policy } from '../../../../crds/wire/policy.ts';
import type { ServerState } from '../../../../crds/wire/state.ts';
import { decide } from '../../../lifecycle/decide.ts';
import { watermarks, type Ledger } from '../../../lifecycle/ledger.ts';
import { awaitsRows, COLLECT_ROWS } from '../../../lifecycle/collecting.ts';
import type {
  LifecycleInput,
  LifecyclePlan,
  LifecycleRequest,
  PinnedHeads,
  PolicyContent,
} from '../../../lifecycle/types.ts';
import { revisionFacts } from '../../../fleet/revision-facts.ts';
import { ANNOTATIONS, policyConfigMapName } from '../../../plan/names.ts';
import { withCompanionLatency } from '../../../plan/companion-latency.ts';
import { storedPolicy } from '../../../plan/policy-config-map.ts';
import { selectExits } from '../../../plan/select-exits.ts';
import type { ServiceToPlan } from '../../../plan/service.ts';
import { findInherited, policyState } from '../decide-policy.ts';
import { liveOf } from '../gather.ts';
import type { ServicePass } from '../service-pass.ts';
import { withBundleUris } from './bundle-uris.ts';
import { holdContent } from './hold-content.ts';
import type { LifecycleMemory } from './lifecycle-memory.ts';
import { loadHeads } from './load-heads.ts';
import { gatherTraining, toReport, type GatheredTraining } from '../training/gather-training.ts';
import { gatherReports, hasRows, withoutWindows } from './pod-reports.ts';
import { workingLedger } from './read-ledger.ts';
import { readPin } from './read-pin.ts';
import { readRequest } from './read-request.ts';
import { readVerbs } from './read-verbs.ts';
import { settingsInForce } from './settings-in-force.ts';
import { isBlank, isStoreDue, storeLedger } from './store-ledger.ts';
import type { StatusFacts } from '../../../plan/status/facts.ts';
import { toLifecycleFacts } from './status/lifecycle-facts.ts';
import { withStickyKey } from './sticky-key.ts';
import { tellDecisions } from './tell-decisions.ts';

/** What a pass came to about heads. */
export interface LifecycleOutcome {
  /** Null: no backbone is known, or nothing is in force that could be held. */
  readonly content: PolicyContent | null;
  /** What was decided and stored; null while nothing can be. */
  readonly plan: LifecyclePlan | null;
  readonly training: GatheredTraining;
  /** The ledger has news that wait until this process has claimed an epoch. */
  readonly mustClaim: boolean;
  /** For the status: what was said last stands while nothing is decided. */
  readonly facts: StatusFacts['lifecycle'];
}

/** A candidate is looked at with the whole fleet at once: what all pods sent in this time is one block (exits.md 5.4). */
const BLOCK_MS = 10_000;
const RETRY_MS = 500;

/**
 * Counts evidence once, decides, stores the ledger, and only then says what the policy shall be. Stores nothing before this
 * process has claimed its epoch, and decides nothing while no pod can be asked, while a bundle cannot be read, and while the
 * policy is neither its own nor one that it may go on with: then what is in force holds.
 */
export async function runLifecycle(
  pass: ServicePass,
  service: ServiceToPlan,
): Promise<LifecycleOutcome> {
  const { gathered, memory, shell } = pass;
  const own = memory.lifecycle;
  const livePolicy = liveOf(gathered, 'ConfigMap', policyConfigMapName(service.name));
  const before = storedPolicy(livePolicy);
  const settings = settingsInForce(service, {
    nowMs: gathered.nowMs,
    canTrain: shell.deps.defaults.trainer !== undefined,
  });
  const content = before && holdContent(before, settings);
  const held: LifecycleOutcome = {
    ...{ content, plan: null, facts: 'Held', mustClaim: false },
    training: { kind: 'Idle' },
  };
  const { writer, installation } = shell.deps;
  const isOurs = livePolicy?.metadata.annotations?.[ANNOTATIONS.writer] === writer;
  const remembered = memory.policy;
  const by = { gathered, live: livePolicy, remembered, writer, installation };
  const mayGoOn = isOurs || findInherited(by) !== null;
  const state = policyState(gathered, before);
  if (!mayGoOn || state === null) return held;
  const ledger = workingLedger(pass, own);
  const training = gatherTraining(pass, ledger);
  const revisions = shell.caches.headRevisions.listIndexed(gathered.key);
  const request = readRequest(service.annotations, revisions);
  const pin = readPin(gathered, service, state.backbone.digest);
  const wanted = { named: namedHeads(ledger), asked: askedHeads(training, request, pin) };
  if (!(await loadHeads(pass, own, wanted))) return held;
  const facts = { service, settings, state, before, ledger, training, request, pin };
  const input = gatherInput(pass, facts);
  const plan = decide(ledger, input);
  keep(pass, { ledger, plan, input });
  if (!isOurs && isStoreDue(pass, service, plan.ledger)) return { ...held, mustClaim: true };
  return finish(pass, service, { plan, held, training });
}

/** Bundles that decisions about this ledger need. */
function namedHeads({ stable, candidate }: Ledger): string[] {
  return [stable, candidate].flatMap((track) => track?.headRevision ?? []);
}

/** Those that may join it in this pass. */
function askedHeads(
  training: GatheredTraining,
  request: LifecycleRequest | null,
  pin: PinnedHeads | null,
): string[] {
  const trained = training.kind === 'Trained' ? [training.headRevision] : [];
  return [...trained, ...[request, pin].flatMap((asked) => asked?.headRevision ?? [])];
}

interface Facts {
  readonly service: ServiceToPlan;
  readonly settings: ServiceSettings;
  readonly state: ServerState;
  readonly before: Policy | null;
  readonly ledger: Ledger;
  readonly training: GatheredTraining;
  readonly request: LifecycleRequest | null;
  readonly pin: PinnedHeads | null;
}

function gatherInput(pass: ServicePass, facts: Facts): LifecycleInput {
  const { gathered, memory } = pass;
  const { service, settings, state, before, ledger, training, request, pin } = facts;
  const { heads } = memory.lifecycle;
  const { exits } = selectExits(state, service.spec.exits, gathered.previous);
  const revisions = [...heads.values()].map((head) =>
    revisionFacts(head.headRevision, head.bundle, {
      state,
      batchSize: state.queue.modalBatchRows,
      knownAnswers: head.knownAnswers,
    }),
  );
  const { pods, silentPods } = gatherReports(gathered, isCountDue(pass, ledger));
  return {
    nowMs: gathered.nowMs,
    settings: withCompanionLatency(settings, exits, {
      checksNamed: service.spec.rollout.checks !== undefined,
    }),
    backbone: { digest: state.backbone.digest, classCount: state.backbone.classCount, exits },
    ...{ pods, silentPods },
    ...{ request, pin },
    training: toReport(training, revisions),
    revisions,
    collectRows: COLLECT_ROWS,
    thinAudits: true,
    auditsOff: false,
    published: before && { epoch: before.epoch, revision: before.revision },
  };
}

/** Heads are being tested: they are looked at more often, all pods at once. */
export function isTesting(ledger: Ledger | null): boolean {
  return ledger !== null && (ledger.candidate !== null || ledger.stage === 'Recertifying');
}

/** Recorded rows are waited for. */
export function isCollecting({ ledger, input }: LifecycleMemory): boolean {
  if (ledger === null || input?.settings.trainingMode !== 'Auto') return false;
  return awaitsRows(ledger);
}

/** Evidence that may certify is counted in blocks of the whole fleet; what is only watched is counted as it comes. */
function isCountDue({ gathered, memory, lookAgain }: ServicePass, ledger: Ledger): boolean {
  const waitMs = memory.lifecycle.countedMs + BLOCK_MS - gathered.monotonicMs;
  if (!isTesting(ledger) || waitMs <= 0) return true;
  lookAgain(waitMs);
  return false;
}

interface Kept {
  readonly plan: LifecyclePlan;
  readonly input: LifecycleInput;
}

/** From here on the windows of this pass are in the working ledger. */
function keep(pass: ServicePass, { ledger, plan, input }: Pick<Facts, 'ledger'> & Kept): void {
  const { gathered, memory, shell } = pass;
  const own = memory.lifecycle;
  own.ledger = plan.ledger;
  // Counted, so nobody needs the windows again: those of a thousand services take 100 MiB.
  own.input = { ...input, pods: withoutWindows(input.pods) };
  own.untold.push(...plan.decisions);
  own.hasUnstoredRows ||= hasRows(input.pods, ledger);
  if (input.pods.some(({ windows }) => windows.length > 0)) own.countedMs = gathered.monotonicMs;
  const marks = watermarks(plan.ledger).map(
    ({ podUid, bootId, seq }) => [`${podUid} ${bootId}`, seq] as const,
  );
  shell.fleet.dropConsumed(gathered.key, new Map(marks));
}

interface Decided {
  readonly plan: LifecyclePlan;
  readonly held: LifecycleOutcome;
  readonly training: GatheredTraining;
}

async function finish(
  pass: ServicePass,
  service: ServiceToPlan,
  { plan, held, training }: Decided,
): Promise<LifecycleOutcome> {
  const { memory, shell, gathered, lookAgain } = pass;
  const own = memory.lifecycle;
  const stored = await storeLedger(pass, service, own, plan.ledger);
  if (stored === 'Lost') {
    // Windows that were counted into the lost ledger come again: pods keep them.
    shell.fleet.unfollow(gathered.key);
    lookAgain(RETRY_MS);
    return held;
  }
  if (stored === 'Refused') {
    // Taking exits away needs no proof, and must not wait for one.
    const isOff = plan.policy?.exitsEnabled === false;
    return isOff ? { ...held, content: toContent(pass, service, plan) } : held;
  }
  const untold = own.untold.splice(0);
  const isBlankYet = isBlank(plan.ledger);
  // Whoever looks at a board while rows are collected for the first heads sees that they are.
  if (!isBlankYet || isCollecting(own)) {
    shell.deps.metrics.lifecycleDecided(gathered.key, plan.ledger, untold);
  }
  if (!isBlankYet) {
    tellDecisions(pass, untold);
    lookAgain(plan.nextDelayMs);
  }
  const { exitsOffUntilMs } = readVerbs(service.annotations, gathered.nowMs);
  if (exitsOffUntilMs !== null) lookAgain(Math.max(0, exitsOffUntilMs - gathered.nowMs));
  const { input } = own;
  const facts = input && toLifecycleFacts(pass, { ledger: plan.ledger, input, decisions: untold });
  const decided = toContent(pass, service, plan);
  return { content: decided, plan, training, mustClaim: false, facts };
}

/** The decided policy with what only this process adds. */
function toContent(
  pass: ServicePass,
  service: ServiceToPlan,
  { policy, ledger }: LifecyclePlan,
): PolicyContent | null {
  if (policy === null) return null;
  const { heads } = pass.memory.lifecycle;
  return withStickyKey(pass, service, withBundleUris(policy, heads, ledger));
}
