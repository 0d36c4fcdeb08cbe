import type { ServiceDefaults } from './defaults.ts';
import type { TemplateInputs } from './template-v1/inputs.ts';
import { storeOf } from './template-v1/store.ts';
import type { ServiceToPlan } from './service.ts';

/** The remote store that trainers of a service write to. */
export interface PushStore {
  readonly uri: string;
  readonly pushSecretName?: string;
  readonly caBundleConfigMapName?: string;
}

/**
 * Null: bundles lie in ConfigMaps. Without a push Secret the trainer writes with what pods read with.
 * @param inputs what the pods of the service have: the store of the installation may be another one by now, and its push Secret
 * is for that one alone.
 */
export function pushStoreOf(
  service: ServiceToPlan,
  inputs: TemplateInputs,
  {
    template,
    pushSecretName: ofInstallation,
  }: Pick<ServiceDefaults, 'template' | 'pushSecretName'>,
): PushStore | null {
  const store = storeOf({ service, inputs, adminGeneration: 1 });
  if (store === null) return null;
  const { uri, caBundleConfigMapName } = store;
  const isToday = uri === template.store?.uri;
  const named = ownPushSecret(service, isToday ? ofInstallation : undefined);
  const pushSecretName = named ?? store.pullSecretName;
  return {
    uri,
    ...(pushSecretName === undefined ? {} : { pushSecretName }),
    ...(caBundleConfigMapName === undefined ? {} : { caBundleConfigMapName }),
  };
}

function ownPushSecret(
  { spec }: ServiceToPlan,
  ofInstallation: string | undefined,
): string | undefined {
  const { store } = spec.heads;
  if (store === undefined) return ofInstallation;
  return (store.s3 ?? store.oci)?.pushSecretName;
}
