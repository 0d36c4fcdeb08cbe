import type { CachedModelService } from '../../crds/v1alpha1/cached-model-service.ts';
import type { ServiceSettings } from '../../crds/v1alpha1/settings.ts';
import type { ServerState } from '../../crds/wire/state.ts';
import type { ExitCandidate } from '../lifecycle/types.ts';
import type { StartedServer } from './fleet-start.ts';
import type { PreparedBackbone } from './prepare-backbone.ts';
import type { RunIo, RunOptions } from './run-options.ts';
import type { TrafficSource } from './traffic/source.ts';
import type { Dashboard } from './web/dashboard.ts';

/** Everything a run starts from; nothing in it changes. */
export interface RunContext {
  readonly options: RunOptions;
  readonly io: RunIo;
  readonly service: CachedModelService;
  readonly settings: ServiceSettings;
  readonly backbone: PreparedBackbone;
  readonly exits: readonly ExitCandidate[];
  readonly servers: readonly StartedServer[];
  /** State of the first server at start: the model is the same on all. */
  readonly state: ServerState;
  /** Null: the user sends the requests. */
  readonly traffic: TrafficSource | null;
  readonly headTraffic: TrafficSource | null;
  readonly labels: Int32Array | null;
  readonly dashboard: Dashboard;
  readonly startedMs: number;
}
