import type { Policy } from '../../../crds/wire/policy.ts';
import type { EventView, LedgerView, ServiceView } from '../service/service-view.ts';
import type { PodReading } from './fleet.ts';

/** Pods of a service as far as they were asked. */
export interface FleetFacts {
  readonly pods: readonly PodReading[];
  /** Of the service, those included that were not asked. */
  readonly podCount: number;
  /** Why no pod could be asked; null: they were. */
  readonly problem: string | null;
}

/** Everything that one picture of a service is made of, read through the API server with a person's own rights. */
export interface DashboardFacts {
  readonly service: ServiceView;
  readonly ledger: LedgerView;
  /** Null: none published yet, of another version, or not readable. */
  readonly policy: Policy | null;
  /** Newest first; null: this user may not list them. */
  readonly events: readonly EventView[] | null;
  readonly fleet: FleetFacts;
}
