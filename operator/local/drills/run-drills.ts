import type { AgreementName } from '../../../crds/wire/agreement.ts';
import type { Policy } from '../../../crds/wire/policy.ts';
import type { VerifiedBundle } from '../../fleet/pull-bundle.ts';
import type { Decision } from '../../lifecycle/types.ts';
import type { StartedServer } from '../fleet-start.ts';
import type { SettledRequest } from '../replay/infer-client.ts';
import type { InferAnswer } from '../replay/infer-codec.ts';
import type { ReportAlarm, ReportDrill } from '../report/report-schema.ts';
import type { RunTally } from '../report/run-tally.ts';
import type { Truth } from '../report/true-disagreement.ts';
import { createAlarmLog } from './alarm-log.ts';
import type { Drill, DrillWorld } from './drill.ts';
import type { DrillOptions } from './drill-options.ts';
import { createDriftDrill } from './drift-drill.ts';
import { createKillDrill } from './kill-drill.ts';
import { createPoisonDrill } from './poison-drill.ts';
import { createSlowDrill } from './slow-drill.ts';

/** All drills of a run, and the alarms, which a run follows whether or not a drill raised them. */
export interface RunDrills {
  readonly onSent: (sentRows: number) => void;
  readonly onAttempt: (dataUrl: string) => void;
  readonly onSettled: (settled: SettledRequest) => void;
  readonly onAnswer: (answer: InferAnswer, latencyMs: number) => void;
  readonly onDecision: (decision: Decision) => void;
  readonly onInForce: (policy: Policy) => void;
  /** The first drifted row is taken. */
  readonly onDriftBegan: () => void;
  /** The backbone ran on every early row; null: it did not. */
  readonly onCompared: (truth: Truth | null) => void;
  readonly offer: (bundle: VerifiedBundle) => VerifiedBundle;
  readonly isExpectedEnd: (podUid: string) => boolean;
  /** A drill killed it, and it is not ready again: nothing is sent there. */
  readonly isDown: (podUid: string) => boolean;
  stop(): Promise<void>;
  readonly alarms: readonly ReportAlarm[];
  reports(): ReportDrill[];
  /** What each drill that struck says so far. */
  lines(): string[];
}

export interface RunDrillsOptions {
  readonly drills: DrillOptions;
  /** What the service allows, and of what. */
  readonly budget: number;
  readonly agreement: AgreementName;
  readonly world: DrillWorld;
  readonly tally: RunTally;
  readonly closeWindows: () => Promise<void>;
  readonly onRestarted: (server: StartedServer) => void;
}

export function createRunDrills(options: RunDrillsOptions): RunDrills {
  const { drills, world, tally } = options;
  const { clock, startedMs, sent, onNote } = world;
  const log = createAlarmLog({
    startedMs,
    nowMs: () => clock.nowMs(),
    sent,
    audits: () => tally.run.evidence.audits,
    onNote,
  });
  const drift =
    drills.drift &&
    createDriftDrill(drills.drift, world, {
      log,
      budget: options.budget,
      agreement: options.agreement,
      closeWindows: options.closeWindows,
      rows: () => tally.exposed,
    });
  const kill = drills.kill && createKillDrill(drills.kill, world);
  if (kill !== null) kill.onRestarted = options.onRestarted;
  const slow = drills.slow && createSlowDrill(drills.slow, world);
  const poison = drills.poisonHead ? createPoisonDrill(world) : null;
  const all: readonly Drill[] = [drift, kill, slow, poison].filter((drill) => drill !== null);
  return {
    onSent: (sentRows) => {
      for (const drill of all) drill.onSent?.(sentRows);
    },
    onAttempt: (dataUrl) => {
      for (const drill of all) drill.onAttempt?.(dataUrl);
    },
    onSettled: (settled) => {
      for (const drill of all) drill.onSettled?.(settled);
    },
    onAnswer: (answer, latencyMs) => {
      for (const drill of all) drill.onAnswer?.(answer, latencyMs);
    },
    onDecision: (decision) => {
      log.decided(decision);
      for (const drill of all) drill.onDecision?.(decision);
    },
    onInForce: (policy) => {
      log.inForce(policy);
      tally.setExposed(log.isExposed);
    },
    onDriftBegan: () => {
      drift?.onBegin();
      tally.setExposed(log.isExposed);
    },
    onCompared: (truth) => {
      drift?.onCompared(truth);
    },
    offer: (bundle) => poison?.offer(bundle) ?? bundle,
    isExpectedEnd: (podUid) => kill?.isExpectedEnd(podUid) ?? false,
    isDown: (podUid) => kill?.isDown(podUid) ?? false,
    stop: async () => {
      await Promise.all(all.map((drill) => drill.stop?.() ?? Promise.resolve()));
    },
    alarms: log.alarms,
    reports: () => all.map((drill) => drill.report()),
    lines: () =>
      all
        .map((drill) => drill.report())
        .filter(({ atRequest }) => atRequest !== null)
        .map(({ flag, message }) => `${flag}: ${message}`),
  };
}
