import { setTimeout as wait } from 'node:timers/promises';
import type { Policy } from '../../crds/wire/policy.ts';
import type { Clock } from '../clock.ts';
import type { Ledger } from '../lifecycle/ledger.ts';
import type {
  BackboneFacts,
  Decision,
  HeadRevisionFacts,
  LifecycleInput,
  LifecyclePlan,
  LifecycleStage,
  MoreTraffic,
  PolicyContent,
  StageProgress,
} from '../lifecycle/types.ts';
import type { ServiceSettings } from '../../crds/v1alpha1/settings.ts';
import { podKey, type EvidenceFeed } from './evidence-feed.ts';
import type { PolicyPress } from './policy-press.ts';
import type { Demand, Replay } from './replay/replay.ts';
import type { TrainingDesk } from './training-desk.ts';

/** The pure decisions, passed in so that a test can script them. */
export interface Lifecycle {
  decide(ledger: Ledger, input: LifecycleInput): LifecyclePlan;
  progress(ledger: Ledger, input: LifecycleInput): StageProgress;
  estimateMore(ledger: Ledger, input: LifecycleInput): MoreTraffic | null;
  watermarks(
    ledger: Ledger,
  ): readonly { readonly podUid: string; readonly bootId: string; readonly seq: number }[];
}

export interface LoopDeps {
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly feed: EvidenceFeed;
  readonly press: PolicyPress;
  readonly desk: TrainingDesk;
  readonly replay: Replay;
  readonly settings: ServiceSettings;
  readonly backbone: BackboneFacts;
  /** Rows that end collecting while rows are still to come; once they are spent, those recorded do. */
  readonly collectRows: () => number;
  readonly isRepeating: () => boolean;
  /** Rows of evidence per tick in the stages that wait for a certificate. */
  readonly blockRows: number;
  readonly revisions: () => readonly HeadRevisionFacts[];
  readonly store: (ledger: Ledger) => void;
  readonly onDecision: (decision: Decision) => void;
  readonly onPolicy: (policy: Policy) => void;
  /** Every server runs this policy now. Told with each tick. */
  readonly onInForce: (policy: Policy) => void;
  readonly onProgress: (progress: StageProgress) => void;
}

/** Gathers, decides, applies: one tick after the other until it is stopped. */
export interface LifecycleLoop {
  run(): Promise<void>;
  stop(): void;
  /** Reads the last windows and decides once more, without starting anything. */
  finish(): Promise<void>;
  readonly stage: LifecycleStage;
  /** What a certificate would still take; null when nothing was decided yet, or no look is left. */
  missing(): MoreTraffic | null;
}

/** How often a shadow looks whether its block is full. */
const POLL_MS = 5;
const SHORT_TICK_MS = 250;
/** A step of the ramp is over at 100 requests: a longer tick spends rows of a finite stream on a share that is decided. */
const RAMP_TICK_MS = 100;
const TICK_MS = 1_000;

export function createLifecycleLoop(deps: LoopDeps, ledger: Ledger): LifecycleLoop {
  const state = {
    ledger,
    stage: 'Collecting' as LifecycleStage,
    isStopped: false,
    hasTrained: false,
    refreshedMs: -Infinity,
    published: null as Policy | null,
    input: null as LifecycleInput | null,
  };

  /** Recorded rows count while collecting; else a state is old after a second. */
  const refreshStates = async (): Promise<void> => {
    const nowMs = deps.clock.monotonicMs();
    if (state.stage !== 'Collecting' && nowMs - state.refreshedMs < TICK_MS) return;
    state.refreshedMs = nowMs;
    await deps.feed.refreshStates();
  };

  const gather = async (): Promise<LifecycleInput> => {
    await deps.feed.pull();
    await refreshStates();
    await deps.desk.poll();
    return {
      nowMs: deps.clock.nowMs(),
      settings: deps.settings,
      backbone: deps.backbone,
      pods: deps.feed.reports(),
      silentPods: 0,
      request: null,
      pin: null,
      training: deps.desk.report(),
      revisions: deps.revisions(),
      collectRows: deps.collectRows(),
      thinAudits: false,
      auditsOff: deps.isRepeating(),
      published: state.published,
    };
  };

  const publish = async (content: PolicyContent | null): Promise<void> => {
    if (content === null) return;
    const { policy, isNew } = deps.press.number(content);
    if (isNew) deps.onPolicy(policy);
    state.published = policy;
    if (await deps.press.push(policy, deps.feed.reports())) deps.onInForce(policy);
  };

  const decideOnce = (input: LifecycleInput): LifecyclePlan => {
    const plan = deps.lifecycle.decide(state.ledger, input);
    state.ledger = plan.ledger;
    state.input = input;
    deps.store(plan.ledger);
    const marks = deps.lifecycle.watermarks(plan.ledger);
    deps.feed.dropConsumed(new Map(marks.map((mark) => [podKey(mark), mark.seq])));
    for (const decision of plan.decisions) deps.onDecision(decision);
    const progress = deps.lifecycle.progress(plan.ledger, input);
    state.stage = progress.stage;
    deps.onProgress(progress);
    return plan;
  };

  const tick = async (): Promise<number> => {
    const plan = decideOnce(await gather());
    const demand = demandOf(
      state.stage,
      plan.policy,
      state.hasTrained && deps.replay.isTrainingSpent,
    );
    if (demand === 'Hold') {
      deps.replay.setDemand(demand);
      // Rows that may train only are answered before a revision is loaded: they are never evidence.
      await deps.replay.idle();
    }
    await publish(plan.policy);
    deps.replay.setDemand(demand);
    state.hasTrained ||= state.stage === 'Training';
    if (plan.training !== null) await deps.desk.begin(plan.training);
    return Math.min(plan.nextDelayMs, tickMs(state.stage));
  };

  const isRunning = (): boolean => !state.isStopped;

  /** A tick of a shadow is as long as its block takes, others last their time. */
  const pause = async (delayMs: number): Promise<void> => {
    if (state.stage !== 'Shadowing' && state.stage !== 'Recertifying') {
      await wait(delayMs);
      return;
    }
    const fromRows = deps.replay.sentRows;
    const untilMs = deps.clock.monotonicMs() + delayMs;
    const isFull = (): boolean => deps.replay.sentRows - fromRows >= deps.blockRows;
    do await wait(POLL_MS);
    while (isRunning() && !isFull() && deps.clock.monotonicMs() < untilMs);
  };

  return {
    run: async () => {
      while (isRunning()) {
        const delayMs = await tick();
        if (isRunning()) await pause(delayMs);
      }
    },
    stop: () => {
      state.isStopped = true;
    },
    finish: async () => {
      decideOnce(await gather());
    },
    missing: () =>
      state.input === null ? null : deps.lifecycle.estimateMore(state.ledger, state.input),
    get stage() {
      return state.stage;
    },
  };
}

function tickMs(stage: LifecycleStage): number {
  if (stage === 'Ramping') return RAMP_TICK_MS;
  const isShort = stage === 'Collecting' || stage === 'Training' || stage === 'Staging';
  return isShort ? SHORT_TICK_MS : TICK_MS;
}

/** Traffic that the stage has use for. */
function demandOf(
  stage: LifecycleStage,
  policy: PolicyContent | null,
  isRetraining: boolean,
): Demand {
  // A second training takes its rows from what follows: whatever it takes comes before its own evidence.
  if (stage === 'Collecting') return isRetraining ? 'Serving' : 'Training';
  if (stage === 'Training' || stage === 'Staging') return 'Hold';
  const answersEarly = stage === 'Serving' && policy?.exitsEnabled === true;
  return answersEarly && policy.stable !== null ? 'ServingWithSlices' : 'Serving';
}
