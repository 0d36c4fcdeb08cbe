// The chart selects pods that the operator makes: what it looks for must be what the operator writes.
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js';
import { expect, test } from 'vitest';
import { planChildren } from '../../../operator/plan/children.ts';
import { roleLabel } from '../../../operator/plan/labels.ts';
import { planTrainingJob } from '../../../operator/plan/training-job.ts';
import { aServiceToPlan, DEFAULTS, INSTALLATION } from '../operator/plan/builders.ts';
import { only, renderObjects } from './helm.ts';
import { isSelected, type Selector } from './network-rules.ts';
import { MONITORING } from './scenarios.ts';

const service = aServiceToPlan();
const TRAINER = planTrainingJob({
  ...{ service, adminGeneration: 1, attempt: 1, job: {}, store: null, allowedHosts: [] },
  defaults: {
    ...{ image: 'trainer:1', imagePullPolicy: 'Never', imagePullSecretNames: [] },
    resources: {},
  },
}).spec!.template;

function serverPod(): PodTemplateSpec {
  const { apply } = planChildren({
    ...{ service, defaults: DEFAULTS, installation: INSTALLATION, adminGeneration: 1, live: [] },
    isDeploymentHeld: false,
  });
  const deployment = apply.find(({ kind }) => kind === 'Deployment');
  return (deployment?.spec as { template: PodTemplateSpec }).template;
}

const portsOf = (pod: PodTemplateSpec) =>
  pod.spec?.containers.flatMap(({ ports = [] }) => ports) ?? [];

test('the PodMonitor of models finds the pods of servers, by a port that they name', async () => {
  const objects = await renderObjects({
    values: { metrics: { podMonitor: { enabled: true } } },
    apiVersions: MONITORING,
  });
  const { selector, podMetricsEndpoints } = only(objects, 'PodMonitor', 'demo-layercache-models')
    .spec as {
    selector: Selector;
    podMetricsEndpoints: { port: string }[];
  };
  const labelsOf = ({ metadata }: PodTemplateSpec): Record<string, string> =>
    metadata?.labels ?? {};
  expect(isSelected(selector, labelsOf(serverPod()))).toBe(true);
  // Labels that a spec may change.
  const renamed = { ...labelsOf(serverPod()), 'app.kubernetes.io/name': 'mine' };
  expect(isSelected(selector, renamed)).toBe(true);
  expect(isSelected(selector, labelsOf(TRAINER))).toBe(false);
  const names = portsOf(serverPod()).map(({ name }) => name);
  for (const { port } of podMetricsEndpoints) expect(names).toContain(port);
});

test('the label that admission policies protect is the one that the operator writes', async () => {
  const values = { admissionPolicies: { protectState: true } };
  const policy = only(await renderObjects({ values }), 'ValidatingAdmissionPolicy');
  for (const role of ['policy', 'ledger', 'head'] as const) {
    const [[key, value] = ['', '']] = Object.entries(roleLabel(role));
    expect(JSON.stringify(policy.spec)).toContain(`'${key}'`);
    expect(JSON.stringify(policy.spec)).toContain(`'${value}'`);
  }
});
