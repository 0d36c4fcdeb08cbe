import type { PodSpec, PodTemplateSpec } from 'kubernetes-types/core/v1.js';

import { compact } from '../compact.ts';
import { childLabels } from '../labels.ts';
import type { ServiceToPlan } from '../service.ts';
import { serverContainer } from './container.ts';
import type { TemplateInput } from './template-input.ts';
import { serverVolumes } from './volumes.ts';

const USER = 65_532;
const GRACE_RESERVE_SECONDS = 10;

/**
 * Pod template version 1 (api.md 6), before `podTemplate` is merged in. Frozen: Deployments made by it must get the same
 * template from every later operator, so a change of what it gives is a new version.
 */
export function renderTemplateV1(input: TemplateInput): PodTemplateSpec {
  const { service } = input;
  const { pod } = service.spec;
  return {
    metadata: {
      labels: { ...childLabels(service.name, 'server'), ...pod?.labels },
      annotations: { 'kubectl.kubernetes.io/default-container': 'server', ...pod?.annotations },
    },
    spec: podSpec(input),
  };
}

function podSpec(input: TemplateInput): PodSpec {
  const { service, inputs } = input;
  const { pod, server } = service.spec;
  const { delay, timeout } = server.drain;
  const volumes = serverVolumes(input);
  const secretNames = server.imagePullSecretNames ?? inputs.imagePullSecretNames;
  return compact<PodSpec>({
    serviceAccountName: pod?.serviceAccountName ?? service.name,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    imagePullSecrets: secretNames.length > 0 ? secretNames.map((name) => ({ name })) : undefined,
    ...placement(service),
    terminationGracePeriodSeconds: Math.ceil((delay + timeout) / 1000) + GRACE_RESERVE_SECONDS,
    containers: [serverContainer(input, volumes)],
    volumes: volumes.map(({ volume }) => volume),
  });
}

type Placement = Pick<
  PodSpec,
  | 'nodeSelector'
  | 'tolerations'
  | 'affinity'
  | 'topologySpreadConstraints'
  | 'resourceClaims'
  | 'runtimeClassName'
  | 'priorityClassName'
>;

/** As written: raw in our schema, checked by the API server in a dry run. */
function placement({ spec }: ServiceToPlan): Placement {
  const { pod } = spec;
  if (pod === undefined) return {};
  return {
    nodeSelector: pod.nodeSelector,
    tolerations: pod.tolerations,
    affinity: pod.affinity,
    topologySpreadConstraints: pod.topologySpreadConstraints,
    resourceClaims: pod.resourceClaims,
    runtimeClassName: pod.runtimeClassName,
    priorityClassName: pod.priorityClassName,
  } as unknown as Placement;
}
