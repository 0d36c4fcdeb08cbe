import { setTimeout as wait } from 'node:timers/promises';
import { WIRE_LIMITS } from '../../crds/wire/limits.ts';
import { errorText } from '../../server/core/system-error.ts';
import type { AllowedHosts } from '../../server/net/allowed-hosts.ts';
import { resolveBySystem } from '../../server/net/checked-addresses.ts';
import type { ProxySetting } from '../../server/net/proxy-tunnel.ts';
import type { StoreAccess } from '../../server/net/stores/store-access.ts';
import { storeFields } from '../../server/net/stores/store-fields.ts';
import { parseStoreUri, type StorePlace } from '../../server/net/stores/store-uri.ts';
import { isWorthRepeating, storeBundle } from '../../server/net/stores/transfer-bundle.ts';

/** The remote store of a service, as its trainer reaches it. */
export interface UploadSettings {
  readonly uri: string;
  readonly access: StoreAccess;
  readonly allowedHosts: AllowedHosts;
  readonly proxy: ProxySetting;
}

export interface TrainedBundle {
  /** `sha256:<64 hex>` */
  readonly digest: string;
  readonly bytes: Uint8Array;
}

export type Uploaded =
  { readonly ok: true; readonly uri: string } | { readonly ok: false; readonly message: string };

export interface UploadPatience {
  /** Between tries. */
  readonly pausesMs: readonly number[];
  /** Of one try. */
  readonly totalMs: number;
  readonly idleMs: number;
}

/** A store that is away for half a minute costs no training. */
const PATIENCE: UploadPatience = {
  pausesMs: [1_000, 2_000, 4_000, 8_000, 16_000],
  totalMs: 60_000,
  idleMs: 15_000,
};

/** Stores a bundle under its digest, so that repeating it is harmless. `onTrouble` hears of each try that will be repeated. */
export async function uploadBundle(
  bundle: TrainedBundle,
  settings: UploadSettings,
  onTrouble: (message: string) => void,
  patience = PATIENCE,
): Promise<Uploaded> {
  const place = parseStoreUri(settings.uri);
  if (!place.ok) return { ok: false, message: `heads.store: ${place.message}.` };
  for (let attempt = 0; ; attempt++) {
    try {
      return {
        ok: true,
        uri: await storeOnce(place.value, bundle, { ...settings, limits: patience }),
      };
    } catch (error) {
      const pauseMs = patience.pausesMs[attempt];
      const message = errorText(error);
      if (pauseMs === undefined || !isWorthRepeating(error)) return { ok: false, message };
      onTrouble(message);
      await wait(pauseMs);
    }
  }
}

function storeOnce(
  place: StorePlace,
  bundle: TrainedBundle,
  { access, allowedHosts, proxy, limits }: UploadSettings & { readonly limits: UploadPatience },
): Promise<string> {
  return storeBundle(place, bundle, {
    access,
    net: { allowedHosts, proxy, resolve: resolveBySystem, idleMs: limits.idleMs },
    fields: storeFields(place, 'push'),
    totalMs: limits.totalMs,
    maxBytes: WIRE_LIMITS.headBundleBytes,
    signal: new AbortController().signal,
  });
}
