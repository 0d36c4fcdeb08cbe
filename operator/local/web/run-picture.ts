import type { EvidenceWindow, LatencyDigest } from '../../../crds/wire/evidence.ts';
import type { HeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { Policy } from '../../../crds/wire/policy.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import type { Clock } from '../../clock.ts';
import type { Decision, StageProgress } from '../../lifecycle/types.ts';
import type { PageDecision, Picture } from '../page/state/page-state.ts';
import type { SliceLatencies } from '../replay/slices.ts';
import type { RunTally } from '../report/run-tally.ts';
import type { RunContext } from '../run-context.ts';
import { grouped } from '../view/format.ts';
import { createRunScreen } from '../view/run-screen.ts';
import { createCurveCounter } from './curve.ts';
import { createDoubtCounter } from './doubt.ts';
import type { RunTotals } from './history.ts';
import { latencyOf, readPicture, toPageDecision } from './read-picture.ts';
import { createTimeline } from './timeline.ts';
import { shownExits } from '../shown-exits.ts';

/** A run as its page shows it: told what happens, asked once a second how it stands. */
export interface RunPicture {
  loaded(tookMs: number, message: string): void;
  progress(progress: StageProgress): void;
  decided(decision: Decision): void;
  warned(message: string): void;
  comparing(done: number, total: number): void;
  setPolicy(policy: Policy): void;
  addWindow(window: EvidenceWindow): void;
  readonly read: () => { readonly picture: Picture; readonly totals: RunTotals };
}

export interface RunPictureOptions {
  readonly context: RunContext;
  readonly tally: RunTally;
  readonly clock: Clock;
  /** Known limits that the run meets, and one sentence per drill. */
  readonly about: {
    readonly statements: () => readonly {
      readonly reason: string;
      readonly message: string;
      readonly nextStep: string;
    }[];
    readonly drills: () => readonly string[];
  };
  readonly states: () => readonly ServerState[];
  readonly latencies: () => SliceLatencies;
  readonly bundles: () => ReadonlyMap<string, HeadBundle>;
}

const MOST_DECISIONS = 200;
const MOST_WARNINGS = 20;

export function createRunPicture(options: RunPictureOptions): RunPicture {
  const { context, tally, clock, about } = options;
  const { settings, exits } = context;
  const screen = createRunScreen({
    ...about,
    title: '',
    addresses: '',
    tally,
    exitNames: shownExits(context.service, exits).map(({ name }) => name),
    budget: settings.budget,
    confidence: settings.confidence,
    agreement: settings.agreement,
    savedRatio: () => null,
  });
  const timeline = createTimeline();
  const doubt = createDoubtCounter();
  const curve = createCurveCounter();
  const decisions: PageDecision[] = [];
  const warnings: Picture['warnings'] = [];
  const state = {
    policy: null as Policy | null,
    stage: null as StageProgress['stage'] | null,
    message: '',
    status: 'Running' as Picture['status'],
    /** Latencies up to the moment when exits first answered. */
    backboneLatency: null as LatencyDigest | null,
  };
  const seconds = (nowMs: number): number => Math.max(0, nowMs - context.startedMs) / 1000;
  const now = (): number => seconds(clock.nowMs());

  const enter = (): void => {
    if (state.stage === null) return;
    const share = state.stage === 'Ramping' ? (state.policy?.candidate?.share ?? null) : null;
    timeline.enter(state.stage, share, now());
  };

  return {
    loaded: (tookMs, message) => {
      screen.loaded(tookMs / 1000, message);
    },
    progress: (progress) => {
      screen.progress(progress, clock.monotonicMs());
      state.stage = progress.stage;
      state.message = progress.message;
      enter();
    },
    decided: (decision) => {
      decisions.push(toPageDecision(decision, seconds(decision.nowMs)));
      if (decisions.length > MOST_DECISIONS) decisions.shift();
    },
    warned: (message) => {
      warnings.push({ atSeconds: now(), message });
      if (warnings.length > MOST_WARNINGS) warnings.shift();
    },
    comparing: (done, total) => {
      state.status = 'Comparing';
      state.message = `The backbone answers the early rows again, to count what the certificate bounds: ${grouped(done)} of ${grouped(total)}.`;
      timeline.enter('Comparing', null, now());
    },
    setPolicy: (policy) => {
      if (policy.exitsEnabled) state.backboneLatency ??= latencyOf(tally);
      if (!policy.exitsEnabled && state.policy?.exitsEnabled === true) curve.forget();
      state.policy = policy;
      enter();
    },
    addWindow: (window) => {
      doubt.add(window, clock.monotonicMs());
      curve.add(window);
    },
    read: () =>
      readPicture({
        ...state,
        context,
        tally,
        atSeconds: now(),
        model: screen.model(clock.monotonicMs()),
        states: options.states(),
        latencies: options.latencies(),
        bundles: options.bundles(),
        statements: about.statements().map((statement) => ({ ...statement })),
        drills: [...about.drills()],
        doubt: (exit) => doubt.of(exit, clock.monotonicMs()),
        curve: curve.of,
        timeline: timeline.spans(),
        decisions: [...decisions],
        warnings: [...warnings],
      }),
  };
}
