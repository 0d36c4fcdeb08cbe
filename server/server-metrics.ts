import type { Acknowledgement } from '../crds/wire/acknowledgement.ts';
import type { ApplyPath } from './apply-policy.ts';
import type { Clock } from './clock.ts';
import type { EngineClient, EngineReport } from './engine/engine-client.ts';
import type { ServerLifecycle } from './lifecycle.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { Serving, ServingControl } from './serving.ts';
import type { TrafficMetrics } from './traffic-metrics.ts';

/** Where gauges come from: they are set when somebody scrapes, not when something changes. */
export interface GaugeSources {
  readonly lifecycle: ServerLifecycle;
  readonly engine: EngineClient;
  readonly loaded: LoadedModel | null;
  readonly servings: ServingControl;
  readonly clock: Clock;
}

export interface ServerMetrics {
  readonly traffic: TrafficMetrics;
  backboneLoaded(report: EngineReport): void;
  policyApplied(acknowledgement: Acknowledgement, path: ApplyPath, nowMs: number): void;
  swapped(next: Serving, durationMs: number): void;
  switchedOff(cause: string): void;
  windowsClosed(windows: number): void;
  engineRestarted(cause: string): void;
  evidenceRead(nowMs: number): void;
  gather(sources: GaugeSources): void;
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}
