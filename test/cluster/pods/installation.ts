// The operator as a Deployment, with the rules that ship and no others, watching only the namespaces of one test file.
import { expect } from 'vitest';
import { operatorRules, type PolicyRule } from '../../../operator/plan/rbac.ts';
import { eventually } from '../../support/eventually.ts';
import { NODE_WAIT_MS } from '../../support/node-wait.ts';
import type { RealNode } from '../../support/real-node.ts';
import { operatorImage, serverImage } from '../harness/image/product-images.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { isReady, podsBy, readObject, type PodObject } from './node-objects.ts';

export const SERVER_IMAGE = 'localhost/layercache-server:pods';
/** The same files under another digest: the next release. */
export const NEXT_SERVER_IMAGE = 'localhost/layercache-server:pods-next';
export const OPERATOR_IMAGE = 'localhost/layercache-operator:pods';
const NAME = 'layercache-operator';
const RELEASE = 'demo';

const ENVIRONMENT: Readonly<Record<string, string>> = {
  LAYERCACHE_RELEASE: RELEASE,
  LAYERCACHE_SERVER_IMAGE: SERVER_IMAGE,
  LAYERCACHE_SERVER_IMAGE_PULL_POLICY: 'Never',
  LAYERCACHE_SERVER_RESOURCES: JSON.stringify({
    requests: { cpu: '20m', memory: '128Mi' },
    limits: { memory: '1Gi' },
  }),
  // Hosts of models inside the cluster have private addresses.
  LAYERCACHE_SERVER_ALLOWED_HOSTS: '*.svc.cluster.local',
  // A killed leader is followed within seconds.
  LAYERCACHE_LEASE_DURATION: '5s',
  LAYERCACHE_LEASE_RENEW_DEADLINE: '4s',
  LAYERCACHE_LEASE_RETRY_PERIOD: '500ms',
};

export interface Installation {
  readonly namespace: string;
  /** Pods of the operator itself. */
  operatorPods(): Promise<readonly PodObject[]>;
  operatorReady(): Promise<PodObject>;
  /** The key that admin keys of all services come from. */
  rootKey(): Promise<Uint8Array>;
}

export interface InstallationOptions {
  readonly namespace: string;
  /** Further namespaces with services, each with the rules of services or with those given. */
  readonly services?: Readonly<Record<string, readonly PolicyRule[]>>;
  /** Images beside those of the release. */
  readonly isNextReleaseLoaded?: boolean;
  /** Of the operator, beside what every test needs. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Loads images and definitions, applies the operator's objects and waits until it leads. */
export async function installOperator(
  node: RealNode,
  { namespace, services = {}, isNextReleaseLoaded = false, environment = {} }: InstallationOptions,
): Promise<Installation> {
  await node.loadImage(await serverImage({ name: SERVER_IMAGE }));
  await node.loadImage(await operatorImage({ name: OPERATOR_IMAGE }));
  if (isNextReleaseLoaded) {
    const labels = { 'org.opencontainers.image.version': 'next' };
    await node.loadImage(await serverImage({ name: NEXT_SERVER_IMAGE, labels }));
  }
  await installDefinitions(node);
  const rules = operatorRules(RELEASE);
  const watched = { [namespace]: rules.services, ...services };
  await applyAll(node, [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace } },
    ...grant({ name: `${NAME}-installation`, namespace, account: namespace }, rules.installation),
    ...Object.entries(watched).flatMap(([target, granted]) =>
      grant({ name: NAME, namespace: target, account: namespace }, granted),
    ),
    operatorDeployment(namespace, Object.keys(watched), environment),
  ]);
  const operatorPods = (): Promise<readonly PodObject[]> =>
    podsBy(node, namespace, `app.kubernetes.io/name=${NAME}`);
  const installation: Installation = {
    namespace,
    operatorPods,
    operatorReady: () =>
      eventually(async () => {
        const [pod, ...others] = await operatorPods();
        if (pod === undefined || others.length > 0 || !isReady(pod)) {
          const log = await node.kubectl(['logs', '-n', namespace, `deployment/${NAME}`]);
          throw new Error(`${JSON.stringify(pod?.status)}\n${log.stdout}${log.stderr}`);
        }
        return pod;
      }, NODE_WAIT_MS),
    rootKey: async () => {
      const name = `${RELEASE}-identity`;
      const secret = await readObject<{ data: Record<string, string> }>(node, {
        kind: 'Secret',
        namespace,
        name,
      });
      return new Uint8Array(Buffer.from(secret.data['root.key'] ?? '', 'base64'));
    },
  };
  await installation.operatorReady();
  return installation;
}

async function applyAll(node: RealNode, items: readonly object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const { code, stderr } = await node.kubectl(['apply', '-f', '-'], { input });
  expect(code, stderr).toBe(0);
}

interface Grant {
  readonly name: string;
  readonly namespace: string;
  /** Namespace of the operator's account. */
  readonly account: string;
}

function grant({ name, namespace, account }: Grant, rules: readonly PolicyRule[]): object[] {
  const metadata = { name, namespace };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name };
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: account }];
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return [
    { apiVersion, kind: 'Role', metadata, rules },
    { apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects },
  ];
}

function operatorDeployment(
  namespace: string,
  watched: readonly string[],
  environment: Readonly<Record<string, string>>,
): object {
  const labels = { 'app.kubernetes.io/name': NAME, 'app.kubernetes.io/instance': RELEASE };
  const fromField = (name: string, fieldPath: string): object => ({
    name,
    valueFrom: { fieldRef: { fieldPath } },
  });
  const given = {
    ...ENVIRONMENT,
    ...environment,
    LAYERCACHE_WATCH_NAMESPACES: watched.join(','),
  };
  const probe = (path: string): object => ({
    httpGet: { path, port: 9090 },
    periodSeconds: 1,
    timeoutSeconds: 5,
  });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: NAME, namespace },
    spec: {
      selector: { matchLabels: labels },
      strategy: { type: 'Recreate' },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: NAME,
          terminationGracePeriodSeconds: 10,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65_532,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'operator',
              image: OPERATOR_IMAGE,
              imagePullPolicy: 'Never',
              env: [
                ...Object.entries(given).map(([name, value]) => ({ name, value })),
                fromField('LAYERCACHE_NAMESPACE', 'metadata.namespace'),
                fromField('LAYERCACHE_POD_NAME', 'metadata.name'),
              ],
              readinessProbe: probe('/readyz'),
              livenessProbe: { ...probe('/livez'), periodSeconds: 10 },
              resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '512Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        },
      },
    },
  };
}
