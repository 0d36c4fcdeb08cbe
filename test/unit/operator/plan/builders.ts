// Services, live objects and chart defaults that say only what matters to a test.
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';

import { cachedModelService } from '../../../../crds/v1alpha1/cached-model-service.ts';
import type { Installation, ServiceDefaults } from '../../../../operator/plan/defaults.ts';
import type { LiveObject } from '../../../../operator/plan/live-object.ts';
import { toServiceToPlan, type ServiceToPlan } from '../../../../operator/plan/service.ts';
import { aManifest } from '../../crds/v1alpha1/service.ts';

export const UID = '6f1c0000-0000-4000-8000-000000000001';

export const INSTALLATION: Installation = {
  namespace: 'layercache-system',
  release: 'layercache',
  operatorLabels: { 'app.kubernetes.io/name': 'layercache-operator' },
  monitoringNamespace: null,
};

export const DEFAULTS: ServiceDefaults = {
  template: {
    image: 'registry.example.com/layercache/server:0.1.0',
    gpuImage: 'registry.example.com/layercache/server-gpu:0.1.0',
    tensorflowImage: 'registry.example.com/layercache/server-tensorflow:0.1.0',
    tensorflowGpuImage: 'registry.example.com/layercache/server-tensorflow-gpu:0.1.0',
    imagePullPolicy: 'IfNotPresent',
    imagePullSecretNames: [],
    resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '2Gi' } },
    store: null,
    allowedHosts: [],
  },
  networkPolicy: 'Disabled',
};

/** Chart defaults of a later version. */
export const NEWER_DEFAULTS: ServiceDefaults = {
  ...DEFAULTS,
  template: {
    ...DEFAULTS.template,
    image: 'registry.example.com/layercache/server:0.2.0',
    resources: { requests: { cpu: '1', memory: '2Gi' } },
  },
};

interface Metadata {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
  readonly generation?: number;
}

/** A stored service with the given fields of the spec beside the smallest one. */
export function aServiceToPlan(
  spec: Readonly<Record<string, unknown>> = {},
  metadata: Metadata = {},
): ServiceToPlan {
  return fromManifest(aManifest({ ...spec }) as Record<string, unknown>, metadata);
}

/** The sample that sets every block, as stored. */
export function theFullSample(): ServiceToPlan {
  return fromManifest(
    parse(readFileSync('crds/samples/full.yaml', 'utf8')) as Record<string, unknown>,
  );
}

function fromManifest(manifest: Record<string, unknown>, metadata: Metadata = {}): ServiceToPlan {
  const own = manifest.metadata as Record<string, unknown>;
  return toServiceToPlan(
    cachedModelService.parse({
      ...manifest,
      metadata: { namespace: 'ml', uid: UID, generation: 1, ...own, ...metadata },
    }),
  );
}

/** What the API server holds after an apply, with what a test adds. */
export function stored(
  object: object,
  metadata: Partial<LiveObject['metadata']> = {},
  fields: Readonly<Record<string, unknown>> = {},
): LiveObject {
  const desired = object as LiveObject;
  return {
    ...desired,
    ...fields,
    metadata: { uid: 'live-uid', resourceVersion: '7', ...desired.metadata, ...metadata },
  };
}

/** The entry of `managedFields` that a server-side apply of ours leaves. */
export function ourFields(fieldsV1: Readonly<Record<string, unknown>>): object {
  return { manager: 'layercache-operator', operation: 'Apply', fieldsV1 };
}

/** YAML as it stands in a golden file: sorted keys, no aliases. */
export function toYaml(value: unknown): string {
  return stringify(JSON.parse(JSON.stringify(value)), {
    sortMapEntries: true,
    aliasDuplicateObjects: false,
    lineWidth: 0,
  });
}

export function golden(name: string): string {
  return `../../../golden/plan/${name}.yaml`;
}
