import { readService } from '../../../crds/v1alpha1/read-object.ts';
import { readServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import { toServiceSettings } from '../../../crds/v1alpha1/settings.ts';
import type { KubeObject } from '../../kube/api.ts';
import type { ServiceView } from './service-view.ts';

/** An object of the API server as a view; one that breaks a rule has one too. */
export function readServiceView(object: KubeObject): ServiceView {
  const {
    name,
    namespace = '',
    creationTimestamp,
    generation = 0,
    annotations = {},
  } = object.metadata;
  const parsed = readService(object);
  return {
    name,
    namespace,
    createdTime: creationTimestamp,
    generation,
    annotations,
    settings: parsed.ok ? toServiceSettings(parsed.value, { local: false }) : null,
    settingsProblem: parsed.ok ? null : parsed.message,
    namedExits: parsed.ok ? (parsed.value.spec.exits?.map((exit) => exit.name) ?? null) : null,
    status: readServiceStatus(object.status),
  };
}
