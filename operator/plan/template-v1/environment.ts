import type { EnvVar } from 'kubernetes-types/core/v1.js';

import { formatDuration } from '../../../crds/v1alpha1/duration.ts';
import { canonicalJson } from '../../../crds/wire/json.ts';
import type { ServiceToPlan } from '../service.ts';
import type { TemplateInput } from './template-input.ts';
import { storeOf } from './store.ts';

/** Settings of the server that take a restart; the others travel in the policy. */
export function serverEnvironment(input: TemplateInput): EnvVar[] {
  const { service, inputs } = input;
  const { backbone, server, modelName } = service.spec;
  const values: Readonly<Record<string, string | undefined>> = {
    SERVICE: service.name,
    MODEL_NAME: modelName ?? service.name,
    BACKBONE_URI: backbone.uri,
    BACKBONE_FORMAT: backbone.format,
    BACKBONE_DIGEST: backbone.digest,
    OUTPUT_NAME: backbone.outputName,
    TASK: backbone.task,
    COMPANIONS: companions(service),
    ENGINE: server.engine,
    WARMUP_ITERATIONS: String(server.warmup.iterations),
    DRAIN_DELAY: formatDuration(server.drain.delay),
    DRAIN_TIMEOUT: formatDuration(server.drain.timeout),
    SAMPLE_MEMORY: '256Mi',
    ...inputMemory(service),
    HEAD_STORE: storeOf(input)?.uri,
    ALLOWED_HOSTS: inputs.allowedHosts.length > 0 ? inputs.allowedHosts.join(',') : undefined,
  };
  const named = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name: `LAYERCACHE_${name}`, value }],
  );
  return [...named, ...podFacts()];
}

/** Set where a student is wanted: without them no server ever holds an input row. */
function inputMemory({ spec }: ServiceToPlan): Readonly<Record<string, string>> {
  const { student, inputs } = spec.heads.training;
  if (student === 'Off') return {};
  return {
    INPUT_MEMORY: String(inputs.maxSize),
    INPUT_RETENTION: formatDuration(inputs.retention),
  };
}

/** What only the kubelet knows. */
function podFacts(): EnvVar[] {
  const field = (name: string, fieldPath: string): EnvVar => ({
    name: `LAYERCACHE_${name}`,
    valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
  });
  return [
    field('POD_UID', 'metadata.uid'),
    field('POD_NAME', 'metadata.name'),
    field('NAMESPACE', 'metadata.namespace'),
    {
      // Node counts the processors of the machine; without a limit this is their number too.
      name: 'LAYERCACHE_ENGINE_THREADS',
      valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1' } },
    },
  ];
}

/** JSON list of `{name, uri, digest?, format?, outputName?}`. Credentials are files, named after the exit. */
function companions({ spec }: ServiceToPlan): string | undefined {
  const list = (spec.exits ?? []).flatMap(({ name, model }) => {
    if (model === undefined) return [];
    const { uri, digest, format, outputName } = model;
    return [{ name, uri, digest, format, outputName }];
  });
  return list.length === 0 ? undefined : canonicalJson(list);
}
