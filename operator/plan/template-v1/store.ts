import type { TemplateInputs } from './inputs.ts';
import type { TemplateInput } from './template-input.ts';

/** The remote store that pods fetch head bundles from; null: ConfigMaps, which need nothing in the pod. */
export function storeOf({ service, inputs }: TemplateInput): TemplateInputs['store'] {
  const { store } = service.spec.heads;
  if (store === undefined) return inputs.store;
  if (store.s3 !== undefined) return store.s3;
  if (store.oci === undefined) return null;
  const { repository, ...rest } = store.oci;
  return { uri: `oci://${repository}`, ...rest };
}
