import { z } from 'zod';
import { parseStoreUri } from '../server/net/stores/store-uri.ts';
import * as fields from './config-fields.ts';
import type { ServiceDefaults } from './plan/defaults.ts';

/** Where bundles of services go that do not say it themselves. Apart, so that its rules are told also when other variables are wrong. */
export const storeSchema = z
  .object({
    HEAD_STORE: fields.optionalText.refine(
      (uri) => uri === null || isStore(uri),
      'must be s3://BUCKET/PATH or oci://REGISTRY/REPOSITORY',
    ),
    HEAD_STORE_PULL_SECRET: fields.objectName,
    HEAD_STORE_PUSH_SECRET: fields.objectName,
    HEAD_STORE_CA_BUNDLE: fields.objectName,
  })
  .superRefine(checkStore);

export type StoreVariables = z.infer<typeof storeSchema>;

/** A whole repository, not an artifact in it. */
function isStore(uri: string): boolean {
  const place = parseStoreUri(uri);
  return place.ok && (place.value.kind === 's3' || place.value.reference === null);
}

function checkStore(
  { HEAD_STORE, ...access }: StoreVariables,
  context: z.RefinementCtx<StoreVariables>,
): void {
  if (HEAD_STORE !== null) return;
  for (const [name, value] of Object.entries(access)) {
    if (value === null) continue;
    const message = 'has no effect without LAYERCACHE_HEAD_STORE: set that too or remove this';
    context.addIssue({ code: 'custom', path: [name], message });
  }
}

/** Null: bundles lie in ConfigMaps. */
export function toStore(parsed: StoreVariables): ServiceDefaults['template']['store'] {
  const { HEAD_STORE: uri, HEAD_STORE_PULL_SECRET: pull, HEAD_STORE_CA_BUNDLE: ca } = parsed;
  if (uri === null) return null;
  return {
    uri,
    ...(pull === null ? {} : { pullSecretName: pull }),
    ...(ca === null ? {} : { caBundleConfigMapName: ca }),
  };
}

/** Absent: trainers write with what pods read with. */
export function toPushSecret(parsed: StoreVariables): Pick<ServiceDefaults, 'pushSecretName'> {
  const { HEAD_STORE_PUSH_SECRET: pushSecretName } = parsed;
  return pushSecretName === null ? {} : { pushSecretName };
}
