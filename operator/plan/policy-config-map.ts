import type { ConfigMap } from 'kubernetes-types/core/v1.js';

import { parsePolicy, type Policy } from '../../crds/wire/policy.ts';
import { installationName, type Installation } from './defaults.ts';
import { roleLabel } from './labels.ts';
import type { LiveObject } from './live-object.ts';
import { ANNOTATIONS, policyConfigMapName } from './names.ts';
import { oncePerObject } from './once-per-object.ts';
import { childMetadata } from './owner.ts';
import type { ServiceToPlan } from './service.ts';

export interface StoredPolicy {
  /** Document as serialised; null before any backbone is known: servers then answer with the backbone. */
  readonly policy: string | null;
  /** Base64 of the stable heads' bundle; null without heads, or when they lie in a remote store. */
  readonly stableBundle: string | null;
  /** Leadership that this write claims; higher than every one seen. */
  readonly epoch: number;
  /** Name of the writing process. */
  readonly writer: string;
}

export interface PolicyConfigMapInput {
  readonly service: ServiceToPlan;
  readonly installation: Installation;
  readonly stored: StoredPolicy;
}

/**
 * The durable path of the policy. To be written under the UID and version that were read: of two leaders one then gets
 * 409 and pushes nothing (api.md 7).
 */
export function planPolicyConfigMap({
  service,
  installation,
  stored,
}: PolicyConfigMapInput): ConfigMap {
  const metadata = childMetadata(service, policyConfigMapName(service.name));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...roleLabel('policy') },
      annotations: {
        [ANNOTATIONS.epoch]: String(stored.epoch),
        [ANNOTATIONS.installation]: installationName(installation),
        [ANNOTATIONS.writer]: stored.writer,
      },
    },
    ...(stored.policy === null ? {} : { data: { 'policy.json': stored.policy } }),
    ...(stored.stableBundle === null
      ? {}
      : { binaryData: { 'stable.bundle': stored.stableBundle } }),
  };
}

/** What stands in a policy ConfigMap; null: nothing, or nothing that can be read. */
export function storedPolicy(live: LiveObject | null): Policy | null {
  return live === null ? null : readPolicyOnce(live);
}

const readPolicyOnce = oncePerObject((live: LiveObject): Policy | null => {
  const { data } = live as { readonly data?: Readonly<Record<string, unknown>> };
  const text = data?.['policy.json'];
  if (typeof text !== 'string') return null;
  const parsed = parsePolicy(text);
  return parsed.ok ? parsed.value : null;
});

/** Epoch that a stored policy ConfigMap claims; 0 where there is none or it is no number. */
export function storedEpoch(live: LiveObject | null): number {
  const epoch = Number(live?.metadata.annotations?.[ANNOTATIONS.epoch] ?? 0);
  return Number.isSafeInteger(epoch) && epoch > 0 ? epoch : 0;
}
