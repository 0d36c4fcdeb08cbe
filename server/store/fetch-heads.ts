import { WIRE_LIMITS } from '../../crds/wire/limits.ts';
import type { Clock } from '../clock.ts';
import type { ServerConfig } from '../config.ts';
import { resolveBySystem } from '../net/checked-addresses.ts';
import { createAwsIdentity } from '../net/stores/aws-identity.ts';
import { storeFields } from '../net/stores/store-fields.ts';
import type { RemoteHeadsOptions } from './remote-heads.ts';
import { isSameStore, parseStoreUri, type StorePlace } from '../net/stores/store-uri.ts';
import { fetchBundle } from '../net/stores/transfer-bundle.ts';

export type StoreSettings = Pick<
  ServerConfig,
  | 'headStore'
  | 'storeCredentialsDir'
  | 'storeCaBundleDir'
  | 'awsIdentity'
  | 'allowedHosts'
  | 'proxy'
>;

const LIMITS = { maxBytes: WIRE_LIMITS.headBundleBytes, totalMs: 60_000, idleMs: 15_000 };

/**
 * Fetches from any place a policy names. The Secret of the store, or the pod's own identity, is shown to that store alone: a
 * revision that somebody wrote may name another bucket or registry, which is asked without it.
 */
export function createHeadFetch(
  settings: StoreSettings,
  clock: Pick<Clock, 'nowMs'>,
  limits: typeof LIMITS = LIMITS,
): RemoteHeadsOptions['fetch'] {
  const own = settings.headStore === null ? null : parseStoreUri(settings.headStore);
  const isOwn = (place: StorePlace): boolean => own?.ok === true && isSameStore(own.value, place);
  const { awsIdentity } = settings;
  const identity = awsIdentity && createAwsIdentity(awsIdentity, clock);
  return (place, digest, transfer) =>
    fetchBundle(place, digest, {
      access: {
        credentialsDir: isOwn(place) ? settings.storeCredentialsDir : null,
        caBundleDir: settings.storeCaBundleDir,
        identity: isOwn(place) ? identity : null,
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
