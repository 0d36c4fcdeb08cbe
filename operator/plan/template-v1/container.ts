import type { Container, Probe, ResourceRequirements } from 'kubernetes-types/core/v1.js';

import { compact } from '../compact.ts';
import { textAt } from '../json-object.ts';
import { chooseImage } from './choose-image.ts';
import { serverEnvironment } from './environment.ts';
import type { TemplateInput } from './template-input.ts';
import type { Mounted } from './volumes.ts';

const PROBE_PERIOD_SECONDS = 5;

export function serverContainer(input: TemplateInput, volumes: readonly Mounted[]): Container {
  const { server } = input.service.spec;
  return {
    name: 'server',
    image: server.image ?? chooseImage(input.service.spec, input.inputs),
    imagePullPolicy: server.imagePullPolicy ?? input.inputs.imagePullPolicy,
    ports: [
      { name: 'http', containerPort: 8080, protocol: 'TCP' },
      { name: 'admin', containerPort: 8081, protocol: 'TCP' },
      { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
    ],
    env: serverEnvironment(input),
    resources: resources(input),
    volumeMounts: volumes.map(({ mount }) => mount),
    // Passes once a failure to load is told as well: a restart would only fetch the same wrong backbone again.
    startupProbe: {
      ...probe('/startupz', PROBE_PERIOD_SECONDS),
      failureThreshold: Math.ceil(server.startupDeadline / 1000 / PROBE_PERIOD_SECONDS),
    },
    readinessProbe: { ...probe('/readyz', PROBE_PERIOD_SECONDS), failureThreshold: 2 },
    // The event loop only: an engine that restarts is no reason to end the process that waits for it.
    livenessProbe: { ...probe('/livez', 10), failureThreshold: 3 },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
    },
    // The last lines of a crash stand in the pod's status, so that they can be told without reading logs.
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
}

/** On the metrics port, so that a flood of requests cannot fail them. */
function probe(path: string, periodSeconds: number): Probe {
  return {
    httpGet: { path, port: 'metrics', scheme: 'HTTP' },
    periodSeconds,
    timeoutSeconds: 3,
  };
}

/** As written, or the chart's; claims of the pod that it does not name are handed to the container too. */
function resources({ service, inputs }: TemplateInput): ResourceRequirements {
  const { pod } = service.spec;
  // Raw in our schema; the API server checks it in a dry run.
  const given = (pod?.resources ?? inputs.resources) as ResourceRequirements;
  const named = given.claims ?? [];
  const unnamed = (pod?.resourceClaims ?? []).flatMap((claim) => {
    const name = textAt(claim, 'name');
    return name === null || named.some((other) => other.name === name) ? [] : [{ name }];
  });
  const claims = [...named, ...unnamed];
  return compact<ResourceRequirements>({
    ...given,
    claims: claims.length > 0 ? claims : undefined,
  });
}
