import type { TemplateInputs } from './template-v1/inputs.ts';
import { storeOf } from './template-v1/store.ts';
import type { ServiceToPlan } from './service.ts';

/** The remote store that trainers of a service write to. */
export interface PushStore {
  readonly uri: string;
  readonly pushSecretName?: string;
  readonly caBundleConfigMapName?: string;
}

/** Null: bundles lie in ConfigMaps. Without a push Secret the trainer writes with what pods read with. */
export function pushStoreOf(service: ServiceToPlan, inputs: TemplateInputs): PushStore | null {
  const store = storeOf({ service, inputs, adminGeneration: 1 });
  if (store === null) return null;
  const { s3, oci } = service.spec.heads.store ?? {};
  const pushSecretName = s3?.pushSecretName ?? oci?.pushSecretName ?? store.pullSecretName;
  const { uri, caBundleConfigMapName } = store;
  return {
    uri,
    ...(pushSecretName === undefined ? {} : { pushSecretName }),
    ...(caBundleConfigMapName === undefined ? {} : { caBundleConfigMapName }),
  };
}
