import type { PlaceFields } from '../fetch-problem.ts';
import type { StorePlace } from './store-uri.ts';

/** Where a spec names a store and the Secret of those who read from it, or write to it. */
export function storeFields({ kind }: StorePlace, secret: 'pull' | 'push'): PlaceFields {
  return {
    uri: kind === 's3' ? 'heads.store.s3.uri' : 'heads.store.oci.repository',
    credentials: `heads.store.${kind}.${secret}SecretName`,
    caBundle: `heads.store.${kind}.caBundleConfigMapName`,
  };
}
