import type { Agent } from 'node:http';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { NODE_WAIT_MS } from '../support/node-wait.ts';
import type { OwnRealNode, RealNode } from '../support/real-node.ts';
import { sharedRealNode, startRealNode } from '../support/real-node.ts';

const node = await sharedRealNode();
const agents: Agent[] = [];
afterAll(() => {
  for (const agent of agents) agent.destroy();
});

interface Pod {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { type: string; status: string; message?: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state: { readonly terminated?: { reason: string; exitCode: number } };
      readonly lastState: { readonly terminated?: { reason: string; exitCode: number } };
    }[];
  };
}

const HTTP_SERVER = `
const { createServer } = require('node:http');
const { hostname } = require('node:os');
createServer((_, answer) => answer.end(hostname() + ' ' + process.getuid())).listen(8080);
process.on('SIGTERM', () => process.exit(0));`;

const listens = { readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } };

/** A pod that Pod Security's strictest level admits, running a Node program. */
function aPod(name: string, program: string, more: { container?: object; spec?: object } = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'main',
          image: node.nodeImage,
          imagePullPolicy: 'Never',
          args: ['-e', program],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          ...more.container,
        },
      ],
      ...more.spec,
    },
  };
}

const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };

async function create(
  namespace: string,
  plural: string,
  object: object,
  on: RealNode = node,
): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/${plural}`;
  const { status, body } = await on.request({ method: 'POST', path, body: object });
  if (status !== 201) throw new Error(JSON.stringify(body));
}

async function read<T>(path: string, on: RealNode = node): Promise<T> {
  const { status, body } = await on.request({ path });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body as T;
}

const podPath = (namespace: string, name: string) => `/api/v1/namespaces/${namespace}/pods/${name}`;

function readyPod(namespace: string, name: string, on: RealNode = node): Promise<Pod> {
  return eventually(async () => {
    const pod = await read<Pod>(podPath(namespace, name), on);
    const ready = pod.status.conditions?.find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True') throw new Error(JSON.stringify(pod.status));
    return pod;
  }, NODE_WAIT_MS);
}

function getInside(host: string, port: number, from: RealNode = node): Promise<string> {
  const agent = from.agent();
  agents.push(agent);
  return new Promise((resolve, reject) => {
    httpRequest({ agent, host, port, signal: AbortSignal.timeout(5_000) }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('error', reject);
      answer.on('end', () => {
        resolve(text);
      });
    })
      .once('error', reject)
      .end();
  });
}

describe.skipIf(node.unavailable !== null)('a real node', () => {
  test('runs a restricted pod until it is ready, as the user it asks for', async () => {
    const { name } = await node.namespace({ labels: restricted });
    await create(name, 'pods', aPod('web', HTTP_SERVER, { container: listens }));
    const { status } = await readyPod(name, 'web');
    expect(await getInside(status.podIP!, 8080)).toBe('web 65532');
  });

  test('shows what a container wrote', async () => {
    const { name } = await node.namespace();
    await create(
      name,
      'pods',
      aPod('says', `console.log('hello from the pod'); setInterval(() => 0, 1e6)`),
    );
    await readyPod(name, 'says');
    await eventually(async () => {
      const { stdout } = await node.kubectl(['logs', '-n', name, 'says']);
      expect(stdout).toBe('hello from the pod\n');
    });
  });

  test('spreads a service over its ready pods', async () => {
    const { name } = await node.namespace();
    const labels = { app: 'web' };
    for (const pod of ['web-1', 'web-2']) {
      const object = aPod(pod, HTTP_SERVER, { container: listens });
      await create(name, 'pods', { ...object, metadata: { name: pod, labels } });
    }
    await create(name, 'services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    });
    await Promise.all(['web-1', 'web-2'].map((pod) => readyPod(name, pod)));
    const { spec } = await read<{ spec: { clusterIP: string } }>(
      `/api/v1/namespaces/${name}/services/web`,
    );
    const seen = new Set<string>();
    await eventually(async () => {
      seen.add(await getInside(spec.clusterIP, 80));
      expect([...seen].toSorted()).toEqual(['web-1 65532', 'web-2 65532']);
    }, NODE_WAIT_MS);
  });

  test('lets pods find a service by its name, and no other name', async () => {
    const { name } = await node.namespace();
    await create(name, 'pods', aPod('web', HTTP_SERVER, { container: listens }));
    await create(name, 'services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'shop' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    await readyPod(name, 'web');
    const program = `
const ask = async (url) => {
  const answer = await fetch(url).then((a) => a.text(), (error) => error.cause.code);
  // Found, and its address not yet routed.
  return answer === 'ECONNREFUSED' ? ask(url) : answer;
};
Promise.all(['http://shop', 'http://shop.${name}.svc', 'http://models.example.com'].map(ask))
  .then((answers) => console.log(answers.join()));`;
    await create(name, 'pods', aPod('client', program, { spec: { restartPolicy: 'Never' } }));
    await eventually(async () => {
      const { stdout } = await node.kubectl(['logs', '-n', name, 'client']);
      expect(stdout).toBe('web 65532,web 65532,ENOTFOUND\n');
    }, NODE_WAIT_MS);
  });

  test('keeps a pod whose readiness probe fails out of its service', async () => {
    const { name } = await node.namespace();
    const probe = { readinessProbe: { httpGet: { path: '/', port: 8081 }, periodSeconds: 1 } };
    await create(name, 'pods', aPod('web', HTTP_SERVER, { container: probe }));
    await eventually(async () => {
      const { items } = await read<{ items: { reason: string; message: string }[] }>(
        `/api/v1/namespaces/${name}/events`,
      );
      expect(items.map(({ reason }) => reason)).toContain('Unhealthy');
    }, NODE_WAIT_MS);
    const { status } = await read<Pod>(podPath(name, 'web'));
    expect(status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False');
  });

  test('kills a container that takes more memory than its limit, and says OOMKilled', async () => {
    const { name } = await node.namespace();
    const greedy = `const kept = []; for (;;) kept.push(Buffer.alloc(8 << 20, 1));`;
    const container = { resources: { limits: { memory: '96Mi', cpu: '500m' } } };
    const spec = { restartPolicy: 'Never' };
    await create(name, 'pods', aPod('greedy', greedy, { container, spec }));
    await eventually(async () => {
      const { status } = await read<Pod>(podPath(name, 'greedy'));
      expect(status.containerStatuses?.[0]?.state.terminated).toMatchObject({
        reason: 'OOMKilled',
        exitCode: 137,
      });
    }, NODE_WAIT_MS);
  });

  test('restarts a container that ends, and remembers how it ended', async () => {
    const { name } = await node.namespace();
    await create(name, 'pods', aPod('crashes', `setTimeout(() => process.exit(3), 100)`));
    await eventually(async () => {
      const { status } = await read<Pod>(podPath(name, 'crashes'));
      const [container] = status.containerStatuses ?? [];
      expect(container!.restartCount).toBeGreaterThan(0);
      expect(container!.lastState.terminated).toMatchObject({ reason: 'Error', exitCode: 3 });
    }, NODE_WAIT_MS);
  });

  test('refuses an image that it cannot get, with a reason a controller can read', async () => {
    const { name } = await node.namespace();
    const container = { image: 'localhost/absent:1' };
    await create(name, 'pods', aPod('absent', '', { container }));
    await eventually(async () => {
      const { stdout } = await node.kubectl(['get', 'pod', '-n', name, 'absent']);
      expect(stdout).toContain('ErrImageNeverPull');
    }, NODE_WAIT_MS);
  });

  test('gives a pod the accelerator that it asks for', async () => {
    const { name } = await node.namespace();
    const program = `console.log(process.env.NVIDIA_VISIBLE_DEVICES); setInterval(() => 0, 1e6)`;
    const container = { resources: { limits: { 'nvidia.com/gpu': 1 } } };
    await create(name, 'pods', aPod('gpu', program, { container }));
    await readyPod(name, 'gpu');
    await eventually(async () => {
      const { stdout } = await node.kubectl(['logs', '-n', name, 'gpu']);
      expect(stdout).toMatch(/^device-[01]\n$/);
    });
  });

  test('leaves a pod pending that asks for more accelerators than there are', async () => {
    const { name } = await node.namespace();
    const container = { resources: { limits: { 'nvidia.com/gpu': 3 } } };
    await create(name, 'pods', aPod('gpu', '', { container }));
    await eventually(async () => {
      const { status } = await read<Pod>(podPath(name, 'gpu'));
      const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled');
      expect(scheduled?.message).toContain('Insufficient nvidia.com/gpu');
    }, NODE_WAIT_MS);
  });

  test('stops offering a device that its plugin calls unhealthy', async () => {
    const plugin = await node.advertise('example.com/accelerator', 2);
    const offered = async () => {
      const { status } = await read<{ status: { allocatable: Record<string, string> } }>(
        `/api/v1/nodes/${node.nodeName}`,
      );
      return status.allocatable['example.com/accelerator'];
    };
    try {
      await eventually(async () => {
        expect(await offered()).toBe('2');
      }, NODE_WAIT_MS);
      plugin.setHealthy(1);
      await eventually(async () => {
        expect(await offered()).toBe('1');
      }, NODE_WAIT_MS);
    } finally {
      await plugin.close();
    }
  });

  test('runs a program of this machine where it reaches pods by address', async () => {
    const { name } = await node.namespace();
    await create(name, 'pods', aPod('web', HTTP_SERVER, { container: listens }));
    const { status } = await readyPod(name, 'web');
    const program = `fetch('http://${status.podIP!}:8080').then((a) => a.text()).then(console.log)`;
    const { stdout } = await node.runInNetwork(process.execPath, ['-e', program]);
    expect(stdout).toBe('web 65532\n');
  });
});

describe.skipIf(node.unavailable !== null)('a node of one test file', () => {
  let own: OwnRealNode;
  beforeAll(async () => {
    own = await startRealNode({ devices: {} });
  });
  afterAll(() => own.stop());

  test('serves on without kubelet, container runtime and API server, and is whole again after', async () => {
    const { name } = await own.namespace();
    await create(name, 'pods', aPod('web', HTTP_SERVER, { container: listens }), own);
    const { status } = await readyPod(name, 'web', own);
    for (const part of ['kubelet', 'containerd'] as const) await own.killOnNode(part);
    own.freeze('apiserver');
    expect(await getInside(status.podIP!, 8080, own)).toBe('web 65532');
    await expect(own.request({ path: '/readyz', deadlineMs: 500 })).rejects.toThrow('no answer');
    own.thaw('apiserver');
    for (const part of ['containerd', 'kubelet'] as const) await own.startOnNode(part);
    await create(name, 'pods', aPod('later', HTTP_SERVER, { container: listens }), own);
    await readyPod(name, 'later', own);
    const { status: kept } = await read<Pod>(podPath(name, 'web'), own);
    expect(kept.containerStatuses?.[0]?.restartCount).toBe(0);
  });
});
