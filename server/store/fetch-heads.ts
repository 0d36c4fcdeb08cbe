import { WIRE_LIMITS } from '../../crds/wire/limits.ts';
import type { ServerConfig } from '../config.ts';
import { resolveBySystem } from '../net/checked-addresses.ts';
import { storeFields } from '../net/stores/store-fields.ts';
import { isSameStore, parseStoreUri, type StorePlace } from '../net/stores/store-uri.ts';
import { fetchBundle } from '../net/stores/transfer-bundle.ts';
import type { RemoteHeadsOptions } from './remote-heads.ts';

export type StoreSettings = Pick<
  ServerConfig,
  'headStore' | 'storeCredentialsDir' | 'storeCaBundleDir' | 'allowedHosts' | 'proxy'
>;

const LIMITS = { maxBytes: WIRE_LIMITS.headBundleBytes, totalMs: 60_000, idleMs: 15_000 };

/**
 * Fetches from any place a policy names. The Secret of the store is shown to that store alone: a revision that somebody wrote may
 * name another bucket or registry, which is asked without it.
 */
export function createHeadFetch(
  settings: StoreSettings,
  limits: typeof LIMITS = LIMITS,
): RemoteHeadsOptions['fetch'] {
  const own = settings.headStore === null ? null : parseStoreUri(settings.headStore);
  const isOwn = (place: StorePlace): boolean => own?.ok === true && isSameStore(own.value, place);
  return (place, digest, transfer) =>
    fetchBundle(place, digest, {
      access: {
        credentialsDir: isOwn(place) ? settings.storeCredentialsDir : null,
        caBundleDir: settings.storeCaBundleDir,
      },
      net: {
        allowedHosts: settings.allowedHosts,
        proxy: settings.proxy,
        resolve: resolveBySystem,
        idleMs: limits.idleMs,
      },
      fields: storeFields(place, 'pull'),
      ...{ totalMs: limits.totalMs, maxBytes: limits.maxBytes, ...transfer },
    });
}
