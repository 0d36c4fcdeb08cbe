// Every connection that operator, servers and trainers make passes the policies of chart and operator together, and no other does.
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { planChildren } from '../../../operator/plan/children.ts';
import { planTrainingJob } from '../../../operator/plan/training-job.ts';
import type { ServiceToPlan } from '../../../operator/plan/service.ts';
import { aServiceToPlan, DEFAULTS, INSTALLATION } from '../operator/plan/builders.ts';
import { NAMESPACE, only, renderObjects } from './helm.ts';
import { passes, type Connection, type End, type Policy } from './network-rules.ts';

const ML = 'ml';
const API_SERVER = '10.0.0.1';

/** Addresses with ports of their own, as models, stores and proxies have them. */
const service = aServiceToPlan({
  backbone: { uri: 'https://models.example.com:8443/m.onnx' },
  heads: { store: { oci: { repository: 'registry.example.com:5000/team/heads' } } },
  pod: { labels: { 'app.kubernetes.io/name': 'of-a-user' } },
  podTemplate: {
    spec: {
      containers: [{ name: 'server', env: [{ name: 'HTTPS_PROXY', value: 'http://proxy:3128' }] }],
    },
  },
});
const neighbour = { ...aServiceToPlan(), name: 'audio' };
const allowedHosts = ['minio.ml.svc:9000'];

function endOf({ metadata, spec }: PodTemplateSpec, namespace: string): End {
  const ports = (spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  return {
    namespace,
    labels: metadata?.labels ?? {},
    ports: Object.fromEntries(ports.map((port) => [port.name ?? '', port.containerPort])),
  };
}

function trainerOf(one: ServiceToPlan): End {
  const { template } = planTrainingJob({
    ...{ service: one, adminGeneration: 1, attempt: 1, job: {}, store: null, allowedHosts: [] },
    defaults: {
      ...{ image: 'trainer:1', imagePullPolicy: 'Never', imagePullSecretNames: [] },
      resources: {},
    },
  }).spec!;
  return endOf(template, ML);
}

const aPod = (namespace: string): End => ({ namespace, labels: { app: 'x' }, ports: {} });
const outside: End = { namespace: null, labels: {}, ports: {}, ip: '192.0.2.7' };
const apiServer: End = { ...outside, ip: API_SERVER };

describe('with network policies switched on everywhere', () => {
  let policies: Policy[];
  let operator: End;
  const servers = new Map<ServiceToPlan, End>();

  beforeAll(async () => {
    const objects = await renderObjects({
      values: {
        networkPolicy: {
          ...{ enabled: true, monitoringNamespace: 'monitoring' },
          apiServerCidrs: { [`${API_SERVER}/32`]: true },
        },
      },
    });
    const { template } = only(objects, 'Deployment').spec as { template: PodTemplateSpec };
    operator = endOf(template, NAMESPACE);
    const environment = template.spec?.containers[0]?.env ?? [];
    const value = (name: string): string =>
      environment.find((one) => one.name === `LAYERCACHE_${name}`)?.value ?? '';
    const installation = {
      ...INSTALLATION,
      namespace: NAMESPACE,
      operatorLabels: Object.fromEntries(
        value('OPERATOR_LABELS')
          .split(',')
          .map((label) => label.split('=') as [string, string]),
      ),
      monitoringNamespace: value('MONITORING_NAMESPACE'),
    };
    policies = [only(objects, 'NetworkPolicy') as unknown as Policy];
    for (const one of [service, neighbour]) {
      const { apply } = planChildren({
        ...{ service: one, installation, adminGeneration: 1, live: [], isDeploymentHeld: false },
        defaults: {
          ...{ ...DEFAULTS, networkPolicy: 'Enabled' },
          template: { ...DEFAULTS.template, allowedHosts },
        },
      });
      const deployment = apply.find(({ kind }) => kind === 'Deployment');
      servers.set(one, endOf((deployment?.spec as { template: PodTemplateSpec }).template, ML));
      policies.push(
        ...apply.filter(({ kind }) => kind === 'NetworkPolicy').map((p) => p as unknown as Policy),
      );
    }
  });

  const server = (of = service): End => servers.get(of)!;
  const trainer = trainerOf(service);
  type Case = readonly [said: string, connection: () => Omit<Connection, 'protocol'>];

  const USED: readonly Case[] = [
    ['the operator asks the API server', () => ({ from: operator, to: apiServer, port: 6443 })],
    ['or by its Service', () => ({ from: operator, to: apiServer, port: 443 })],
    ['the operator calls a server', () => ({ from: operator, to: server(), port: 8081 })],
    ['the operator calls a trainer', () => ({ from: operator, to: trainer, port: 8081 })],
    [
      'Prometheus reads the operator',
      () => ({ from: aPod('monitoring'), to: operator, port: 9090 }),
    ],
    ['Prometheus reads a server', () => ({ from: aPod('monitoring'), to: server(), port: 9090 })],
    ['a client asks a server', () => ({ from: aPod('web'), to: server(), port: 8080 })],
    ['a trainer pulls samples', () => ({ from: trainer, to: server(), port: 8081 })],
    ['a server fetches its backbone', () => ({ from: server(), to: outside, port: 8443 })],
    ['a server fetches heads', () => ({ from: server(), to: outside, port: 5000 })],
    ['a server fetches through its proxy', () => ({ from: server(), to: outside, port: 3128 })],
    ['a server reaches an allowed host', () => ({ from: server(), to: aPod(ML), port: 9000 })],
    ['a server reaches S3', () => ({ from: server(), to: outside, port: 443 })],
    ['a trainer writes its bundle', () => ({ from: trainer, to: outside, port: 5000 })],
  ];

  test('ports are those that pods name', () => {
    expect(server().ports).toEqual({ http: 8080, admin: 8081, metrics: 9090 });
    expect(trainer.ports).toEqual({ admin: 8081 });
    expect(operator.ports).toMatchObject({ metrics: 9090 });
  });

  test.each(USED)('%s', (_, connection) => {
    expect(passes(policies, connection())).toBe(true);
  });

  test.each([
    ['the operator', () => operator],
    ['a server', () => server()],
    ['a trainer', () => trainer],
  ] as const)('%s resolves names', (_, from) => {
    for (const protocol of ['UDP', 'TCP'] as const) {
      const to = aPod('kube-system');
      expect(passes(policies, { from: from(), to, port: 53, protocol })).toBe(true);
    }
  });

  const UNUSED: readonly Case[] = [
    ['a client calls an admin port', () => ({ from: aPod(ML), to: server(), port: 8081 })],
    ['a client calls a trainer', () => ({ from: aPod(ML), to: trainer, port: 8081 })],
    ['a client reads metrics', () => ({ from: aPod(ML), to: server(), port: 9090 })],
    ['a client reads the operator', () => ({ from: aPod(ML), to: operator, port: 9090 })],
    [
      'Prometheus calls an admin port',
      () => ({ from: aPod('monitoring'), to: server(), port: 8081 }),
    ],
    [
      'a neighbour calls an admin port',
      () => ({ from: server(neighbour), to: server(), port: 8081 }),
    ],
    [
      'a trainer of a neighbour pulls',
      () => ({ from: trainerOf(neighbour), to: server(), port: 8081 }),
    ],
    ['a server calls another', () => ({ from: server(), to: server(), port: 8081 })],
    ['a server calls a trainer', () => ({ from: server(), to: trainer, port: 8081 })],
    ['a trainer asks for answers', () => ({ from: trainer, to: server(), port: 8080 })],
    ['a server asks the API server', () => ({ from: server(), to: apiServer, port: 6443 })],
    ['a trainer asks the API server', () => ({ from: trainer, to: apiServer, port: 6443 })],
    ['a server reads the operator', () => ({ from: server(), to: operator, port: 9090 })],
    ['the operator asks for answers', () => ({ from: operator, to: server(), port: 8080 })],
    ['the operator fetches from anywhere', () => ({ from: operator, to: outside, port: 443 })],
    ['the operator calls pods of others', () => ({ from: operator, to: aPod(ML), port: 8081 })],
  ];

  test.each(UNUSED)('refused: %s', (_, connection) => {
    expect(passes(policies, connection())).toBe(false);
  });
});
