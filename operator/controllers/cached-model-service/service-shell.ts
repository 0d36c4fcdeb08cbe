import type { Applier } from '../../kube/apply.ts';
import type { Caches } from '../caches.ts';
import type { ControllerDependencies } from '../dependencies.ts';
import type { ServiceFleet } from '../service-fleet.ts';

/** What passes of all services share. */
export interface ServiceShell {
  readonly deps: ControllerDependencies;
  readonly caches: Caches;
  readonly fleet: ServiceFleet;
  readonly applier: Applier;
}
