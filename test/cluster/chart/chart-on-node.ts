// A node of one test file with the images of the chart, and two namespaces that enforce Pod Security restricted.
import type { ToolOptions } from '../harness/connected-cluster.ts';
import { startRealNode, type OwnRealNode } from '../../support/real-node.ts';
import { operatorImage, serverImage } from '../harness/image/product-images.ts';
import type { NodeOptions } from '../harness/node/node-cluster.ts';
import { installKinds } from './kinds-of-others.ts';

export const OPERATOR = 'localhost/layercache-operator';
const SERVER = 'localhost/layercache-server';
const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

export interface ChartNode {
  readonly node: OwnRealNode;
  /** Namespace of the release. */
  readonly home: string;
  /** Namespace of its services. */
  readonly models: string;
  /** kubectl in the namespace of the services; throws what it says when it fails. */
  readonly kubectl: (args: readonly string[], options?: ToolOptions) => Promise<string>;
}

/** @param withKinds the cluster knows the kinds of the operators of Prometheus and Grafana */
export async function startChartNode(options: NodeOptions, withKinds: boolean): Promise<ChartNode> {
  const node = await startRealNode(options);
  try {
    if (withKinds) await installKinds(node);
    await node.loadImage(await serverImage({ name: `${SERVER}:chart` }));
    await node.loadImage(await operatorImage({ name: `${OPERATOR}:chart` }));
    const home = (await node.namespace({ labels: RESTRICTED })).name;
    const models = (await node.namespace({ labels: RESTRICTED })).name;
    return {
      ...{ node, home, models },
      kubectl: async (args, given) => {
        const { code, stdout, stderr } = await node.kubectl([...args, '-n', models], given);
        if (code !== 0) throw new Error(stderr);
        return stdout;
      },
    };
  } catch (error) {
    await node.stop();
    throw error;
  }
}

/** Values for a small node: images that are there, little reserved, scraped each second. */
export function nodeValues(models: string, lease: object): object {
  return {
    watchNamespaces: { [models]: true },
    operator: {
      replicas: 2,
      image: { repository: OPERATOR, tag: 'chart', pullPolicy: 'Never' },
      resources: { requests: { cpu: '50m', memory: '64Mi' } },
      extraEnv: lease,
    },
    server: {
      image: { repository: SERVER, tag: 'chart', pullPolicy: 'Never' },
      gpuImage: { repository: SERVER, tag: 'chart' },
      defaults: {
        resources: { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '1Gi' } },
      },
    },
    networkPolicy: { enabled: true },
    dashboards: { enabled: true },
    alerts: { enabled: true },
  };
}
