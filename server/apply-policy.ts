import type { Acknowledgement } from '../crds/wire/acknowledgement.ts';
import type { HeadBundle } from '../crds/wire/head-bundle.ts';
import type { Policy } from '../crds/wire/policy.ts';
import { comparePair, parsePolicy } from '../crds/wire/policy.ts';
import type { Clock } from './clock.ts';
import type { CompanionDesk } from './companion-desk.ts';
import type { EngineClient, EnginePlan } from './engine/engine-client.ts';
import { EngineError } from './engine/engine-error.ts';
import type { ModelDescription } from './engine/segment-engine.ts';
import { createHeadPace } from './head-pace.ts';
import {
  BACKBONE_PLAN,
  bringsHeadsAlone,
  candidateShareOf,
  isSamePlan,
  opensHeads,
  planPolicy,
  tracksToHold,
} from './plan-policy.ts';
import { createPlanDeaths } from './plan-deaths.ts';
import type { PolicyProblem } from './policy-checks.ts';
import {
  APPLIED,
  PLAN_FAILED,
  crashed,
  forThisBackbone,
  headMissing,
  rejected,
  stale,
  verdictOf,
  type Verdict,
} from './policy-verdicts.ts';
import { findPolicyProblem, findTrackProblem } from './policy-checks.ts';
import type { Safety, SafetyView } from './safety.ts';
import type { Serving, ServingControl } from './serving.ts';
import type { BootCounter } from './store/boot-counter.ts';
import type { HeadFiles } from './store/head-files.ts';
import type { RemoteHeads, WantedHeads } from './store/remote-heads.ts';
import type { Students } from './students.ts';
import { createTurns } from './turns.ts';

export type ApplyPath = 'push' | 'mount';

type ParsedPolicy = ReturnType<typeof parsePolicy>;

export interface PolicyApplier {
  /**
   * The steps of server.md "Policy application". Applies are serialised; any failure keeps the snapshot in force. A pushed policy that
   * only brings other heads waits while requests come and heads were opened a moment ago (head-pace.ts).
   */
  apply(text: string, path: ApplyPath): Promise<Acknowledgement>;
  /** Local safety changed its mind: holds at once what may no longer answer, then follows with a plan. */
  refresh(): void;
  /** A bundle that the policy in force names and did not have can join now. */
  headArrived(headRevision: string): Promise<void>;
  /** A companion runs from now on: the policy that was refused for its lack is looked at again. */
  companionArrived(): Promise<void>;
  /** Prepares the policy in force again: at boot and after the engine restarted. */
  replan(): Promise<void>;
  acknowledgement(): Acknowledgement;
  /** Named by the policy in force. */
  isInUse(headRevision: string): boolean;
}

export interface ApplierOptions {
  readonly identity: { readonly podUid: string; readonly bootId: string };
  readonly modelName: string;
  readonly model: ModelDescription;
  readonly engine: EngineClient;
  readonly companions: Pick<CompanionDesk, 'models' | 'reports'>;
  readonly students: Pick<Students, 'ready'>;
  readonly servings: ServingControl;
  readonly heads: Pick<HeadFiles, 'find'>;
  /** Told what a policy names at a store and is not here, each time one is applied or waits. */
  readonly remote: Pick<RemoteHeads, 'want'>;
  readonly safety: Safety;
  readonly bootCounter: BootCounter;
  readonly clock: Clock;
  readonly observer: ApplyObserver;
}

/** What others do about applies: metrics, log, samples. */
export interface ApplyObserver {
  applied(acknowledgement: Acknowledgement, path: ApplyPath): void;
  /** A snapshot with another policy or plan is in force. */
  swapped(next: Serving, former: Serving | null): void;
  /** A policy with other heads than those in force was taken over, or refused, after so long. */
  headsSwapped(isApplied: boolean, seconds: number): void;
  /** The engine refused the plan of a policy that was in force: exits are off until the next policy. */
  planFailed(error: unknown): void;
}

const NOTHING_HELD: SafetyView = { held: new Set(), isStale: false };

export function createPolicyApplier(options: ApplierOptions): PolicyApplier {
  const { engine, servings, safety, model } = options;
  let policy: Policy | null = null;
  /** Refused only because its stable heads are not here yet. */
  let waiting: Policy | null = null;
  /** The last one that was refused, for a companion that may still come. */
  let refused: { readonly parsed: ParsedPolicy; readonly path: ApplyPath } | null = null;
  let bundles: ReadonlyMap<string, HeadBundle> = new Map();
  /** Of the policy in force, and what readers are shown: that, or the refusal of a later one. */
  let inForce: Verdict = APPLIED;
  let shown: Verdict = APPLIED;
  /** Why the plan in force is less than the policy in force asks for; null: it is not. */
  let fallenBack: Verdict | null = null;
  const deaths = createPlanDeaths();
  const serially = createTurns();
  const pace = createHeadPace({ clock: options.clock, batches: () => servings.taken() });

  function acknowledge(own: Verdict): Acknowledgement {
    const serving = servings.latest();
    const loaded = serving?.plan.tracks.map((track) => track.headRevision) ?? [];
    const answers = new Map(serving?.knownAnswers.map((answer) => [answer.headRevision, answer]));
    return {
      schemaVersion: 1,
      ...options.identity,
      epoch: policy?.epoch ?? 0,
      revision: policy?.revision ?? 0,
      headRevisions: [...new Set(loaded)],
      backboneDigest: model.digest,
      ...own,
      knownAnswers: [...answers.values()],
    };
  }

  async function applyNow(parsed: ParsedPolicy): Promise<Verdict> {
    if (!parsed.ok) return rejected({ reason: parsed.code, message: parsed.message });
    const next = forThisBackbone(parsed.value, model);
    const order = policy === null ? 1 : comparePair(next, policy);
    if (order < 0) return stale(next, policy);
    if (order === 0 && isComplete(next)) return { ...inForce, result: 'AlreadyApplied' };
    const problem = findCrash(next) ?? findPolicyProblem(next, options);
    return problem === null ? tryTakeOver(next) : rejected(problem);
  }

  function findCrash(next: Policy): PolicyProblem | null {
    const isDeadly = options.bootCounter.isDeadly(next) || deaths.isDeadly(next);
    return isDeadly ? crashed(next) : null;
  }

  /** Takes a policy over, and tells of it when it brings other heads. */
  async function tryTakeOver(next: Policy): Promise<Verdict> {
    const startMs = options.clock.monotonicMs();
    const before = headsInForce(servings.latest());
    const opens = opensHeads(servings.latest(), next);
    const verdict = await (opens ? pace.open(() => takeOverOnce(next)) : takeOverOnce(next));
    const isApplied = verdict.result === 'Applied';
    const heads = isApplied ? headsInForce(servings.latest()) : headsNamed(next);
    const seconds = (options.clock.monotonicMs() - startMs) / 1000;
    if (heads !== before) options.observer.headsSwapped(isApplied, seconds);
    return verdict;
  }

  async function takeOverOnce(next: Policy): Promise<Verdict> {
    options.bootCounter.started(next);
    try {
      return await takeOver(next);
    } catch (error) {
      return rejected({
        reason: error instanceof EngineError ? error.code : 'Failed',
        message: `The engine refused the policy: ${error instanceof Error ? error.message : 'unknown failure'}`,
      });
    } finally {
      options.bootCounter.ended();
    }
  }

  function isComplete({ candidate }: Policy): boolean {
    return candidate === null || bundles.has(candidate.headRevision);
  }

  async function takeOver(next: Policy): Promise<Verdict> {
    const found = await findBundles(next, options.heads);
    options.remote.want(missingHeads(next, found));
    const isHere = next.stable === null || found.has(next.stable.headRevision);
    waiting = isHere ? null : next;
    if (next.stable !== null && !isHere) return rejected(headMissing(next.stable));
    for (const track of [next.stable, next.candidate]) {
      const bundle = track === null ? undefined : found.get(track.headRevision);
      const problem =
        track === null || bundle === undefined ? null : findTrackProblem(next, track, bundle);
      if (problem !== null) return rejected(problem);
    }
    const prepared = await prepareFor(next, planPolicy(next, found, safety));
    policy = next;
    bundles = found;
    swap(prepared);
    inForce = verdictOf(next, model, found);
    shown = inForce;
    fallenBack = null;
    return inForce;
  }

  type Prepared = Pick<Serving, 'plan' | 'planId' | 'costs' | 'knownAnswers'>;

  async function prepare(plan: EnginePlan): Promise<Prepared> {
    const current = servings.current();
    if (current !== null && isSamePlan(current.plan, plan)) return current;
    await options.students.ready(plan.tracks.map(({ bundle }) => bundle));
    const report = await engine.prepare(plan);
    return { plan, planId: report.planId, costs: report.costs, knownAnswers: report.knownAnswers };
  }

  const isUp = (): boolean => engine.status === 'Up';

  /** Remembers when it is the plan that ends the engine. */
  async function prepareFor(cause: Policy | null, plan: EnginePlan): Promise<Prepared> {
    const wasUp = isUp();
    try {
      const prepared = await prepare(plan);
      if (cause !== null) deaths.survived(cause);
      return prepared;
    } catch (error) {
      if (cause !== null && wasUp && !isUp()) deaths.died(cause);
      throw error;
    }
  }

  function swap({ plan, planId, costs, knownAnswers }: Prepared): void {
    const former = servings.latest();
    const view = policy === null ? NOTHING_HELD : safety.view(policy);
    const candidateShare = candidateShareOf(policy, plan, view.isStale);
    const next = { policy, plan, planId, costs, knownAnswers, candidateShare, held: view.held };
    servings.swap(next);
    safety.retain(plan.tracks.map((track) => track.headRevision));
    options.observer.swapped(next, former);
  }

  /** Towards the backbone at once; what may answer again comes with the plan. */
  function hold(): void {
    const current = servings.current();
    if (current === null || policy === null || current.policy !== policy) return;
    const held = new Set([
      ...safety.view(policy).held,
      ...tracksToHold(current, planPolicy(policy, bundles, safety)),
    ]);
    if ([...held].every((track) => current.held.has(track))) return;
    servings.swap({ ...current, held });
  }

  async function replanNow(): Promise<void> {
    const wanted = policy === null ? BACKBONE_PLAN : planPolicy(policy, bundles, safety);
    if (policy !== null && deaths.isDeadly(policy)) {
      await fallBack([BACKBONE_PLAN], crashed(policy));
      return;
    }
    try {
      const prepared = await prepareFor(policy, wanted);
      if (engine.status !== 'Up') return;
      // The refusal of a later policy stays visible.
      if (shown === fallenBack) shown = inForce;
      fallenBack = null;
      swap(prepared);
    } catch (error) {
      if (engine.status !== 'Up') return;
      options.observer.planFailed(error);
      await fallBack([{ ...BACKBONE_PLAN, samples: wanted.samples }, BACKBONE_PLAN], PLAN_FAILED);
    }
  }

  /** Heads that cannot be prepared any more must not keep the backbone from answering. */
  async function fallBack(plans: readonly EnginePlan[], why: PolicyProblem): Promise<void> {
    const [plan, ...others] = plans;
    if (plan === undefined) return;
    try {
      const prepared = await prepare(plan);
      fallenBack = { result: 'Applied', ...why };
      shown = fallenBack;
      swap(prepared);
    } catch (error) {
      if (others.length === 0) throw error;
      await fallBack(others, why);
    }
  }

  /** What is mounted changes seldom, and waiting for one would keep the next from being read. */
  async function paced(parsed: ParsedPolicy, path: ApplyPath): Promise<void> {
    if (!parsed.ok || path === 'mount') return;
    const next = parsed.value;
    await pace.turn(next, () => {
      const inForce = servings.latest();
      const isNewer = policy === null || comparePair(next, policy) > 0;
      return inForce !== null && isNewer && bringsHeadsAlone(inForce, next);
    });
  }

  async function applyAndTell(parsed: ParsedPolicy, path: ApplyPath): Promise<Acknowledgement> {
    const own = await applyNow(parsed);
    // A refusal of a newer policy stays visible to whoever only reads; old or equal ones change nothing.
    if (own.result === 'Rejected') shown = own;
    if (own.result === 'Rejected' || own.result === 'Applied') {
      refused = own.reason === 'CompanionUnsupported' ? { parsed, path } : null;
    }
    const acknowledgement = acknowledge(own);
    options.observer.applied(acknowledgement, path);
    return acknowledgement;
  }

  return {
    apply: async (text, path) => {
      const parsed = parsePolicy(text);
      await paced(parsed, path);
      return serially(() => applyAndTell(parsed, path));
    },
    companionArrived: () =>
      serially(async () => {
        if (fallenBack !== null) await replanNow();
        if (refused !== null) await applyAndTell(refused.parsed, refused.path);
      }),
    refresh: () => {
      hold();
      void serially(replanNow).catch(() => undefined);
    },
    headArrived: (headRevision) =>
      serially(async () => {
        if (waiting?.stable?.headRevision === headRevision) {
          shown = await tryTakeOver(waiting);
          options.observer.applied(acknowledge(shown), 'push');
        }
        if (policy === null || bundles.has(headRevision)) return;
        if (policy.candidate?.headRevision === headRevision) await tryTakeOver(policy);
      }),
    replan: () => serially(replanNow),
    acknowledgement: () => acknowledge(shown),
    isInUse: (headRevision) =>
      policy?.stable?.headRevision === headRevision ||
      policy?.candidate?.headRevision === headRevision,
  };
}

/** Which heads serve which track. */
function headsInForce(serving: Serving | null): string {
  const tracks = serving?.plan.tracks ?? [];
  return tracks.map(({ track, headRevision }) => `${track} ${headRevision}`).join();
}

function headsNamed(policy: Policy): string {
  return (['stable', 'candidate'] as const)
    .flatMap((track) => {
      const named = policy[track];
      return named === null ? [] : [`${track} ${named.headRevision}`];
    })
    .join();
}

/** What a policy names, is not here, and lies in a store. */
function missingHeads(
  { stable, candidate }: Policy,
  found: ReadonlyMap<string, HeadBundle>,
): WantedHeads[] {
  return [stable, candidate].flatMap((track) => {
    if (track?.bundleUri === undefined || found.has(track.headRevision)) return [];
    return [{ headRevision: track.headRevision, uri: track.bundleUri }];
  });
}

async function findBundles(
  policy: Policy,
  heads: Pick<HeadFiles, 'find'>,
): Promise<Map<string, HeadBundle>> {
  const found = new Map<string, HeadBundle>();
  for (const track of [policy.stable, policy.candidate]) {
    const bundle = track === null ? null : await heads.find(track.headRevision);
    if (track !== null && bundle !== null) found.set(track.headRevision, bundle);
  }
  return found;
}
