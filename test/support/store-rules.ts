import { parseAllowedHosts, type AllowedHosts } from '../../server/net/allowed-hosts.ts';
import { resolveBySystem, type Resolve } from '../../server/net/checked-addresses.ts';
import type { StoreAccess } from '../../server/net/stores/store-access.ts';
import { parseStoreUri, type StorePlace } from '../../server/net/stores/store-uri.ts';
import type { TransferRules } from '../../server/net/stores/transfer-bundle.ts';

export function placeOf(uri: string): StorePlace {
  const place = parseStoreUri(uri);
  if (!place.ok) throw new Error(place.message);
  return place.value;
}

export function allowedHosts(list: string): AllowedHosts {
  const allowed = parseAllowedHosts(list);
  if (!allowed.ok) throw new Error(allowed.message);
  return allowed.value;
}

const LIMITS = { maxBytes: 10_000, totalMs: 20_000, idleMs: 10_000 };

export interface RulesWish {
  readonly access: StoreAccess;
  /** As in `LAYERCACHE_ALLOWED_HOSTS`. */
  readonly allowed: string;
  /** @defaultValue names are resolved by the system */
  readonly resolve?: Resolve;
  readonly limits?: Partial<typeof LIMITS>;
}

/** Rules of a transfer whose fields have names that sentences can be searched for. */
export function transferRules({
  access,
  allowed,
  resolve = resolveBySystem,
  limits = {},
}: RulesWish): TransferRules {
  const { maxBytes, totalMs, idleMs } = { ...LIMITS, ...limits };
  return {
    access,
    net: {
      allowedHosts: allowedHosts(allowed),
      proxy: { url: null, exceptions: '' },
      ...{ resolve, idleMs },
    },
    fields: { uri: 'the.uri', credentials: 'the.secret', caBundle: 'the.ca' },
    ...{ totalMs, maxBytes, signal: new AbortController().signal },
  };
}
