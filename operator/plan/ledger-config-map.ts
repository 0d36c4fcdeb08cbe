import type { ConfigMap } from 'kubernetes-types/core/v1.js';

import { roleLabel } from './labels.ts';
import type { LiveObject } from './live-object.ts';
import { ledgerConfigMapName } from './names.ts';
import { childMetadata } from './owner.ts';
import type { ServiceToPlan } from './service.ts';

const KEY = 'ledger.json';

/**
 * Counts, watermarks, looks and detectors of a service in one object: they are stored together or not at all, so nothing
 * counts twice after a restart (reliability.md B13). To be written under the UID and version that were read.
 */
export function planLedgerConfigMap(service: ServiceToPlan, text: string): ConfigMap {
  const metadata = childMetadata(service, ledgerConfigMapName(service.name));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, labels: { ...metadata.labels, ...roleLabel('ledger') } },
    data: { [KEY]: text },
  };
}

/** The text that a ledger ConfigMap holds; null: none. */
export function storedLedger(live: LiveObject | null): string | null {
  const { data } = (live ?? {}) as { readonly data?: Readonly<Record<string, unknown>> };
  const text = data?.[KEY];
  return typeof text === 'string' ? text : null;
}
