// Images of the product as their Dockerfiles make them of dist/bundle, without Docker, run as pods. `npm run build` comes first.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { NODE_WAIT_MS } from '../support/node-wait.ts';
import { sharedRealNode } from '../support/real-node.ts';
import { whyNoImages } from './harness/image/built-images.ts';
import { writeImageArchive } from './harness/image/image-archive.ts';
import { packLayout, readLayout } from './harness/image/image-layout.ts';
import { operatorImage, serverImage } from './harness/image/product-images.ts';

const node = await sharedRealNode();
const hasOperator = existsSync(new URL('../../dist/bundle/operator.mjs', import.meta.url));

const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };
const securityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

interface PodStatus {
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { type: string; status: string }[];
  };
}

function aServerPod(image: string) {
  const environment = {
    LAYERCACHE_MODEL_NAME: 'fashion-mnist',
    LAYERCACHE_BACKBONE_URI: 'file:///models/fashion-mnist/backbone.onnx',
    LAYERCACHE_ENGINE_THREADS: '1',
    LAYERCACHE_DRAIN_DELAY: '0s',
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'server' },
    spec: {
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      volumes: [{ name: 'tmp', emptyDir: {} }],
      containers: [
        {
          name: 'server',
          image,
          imagePullPolicy: 'Never',
          securityContext,
          env: Object.entries(environment).map(([name, value]) => ({ name, value })),
          readinessProbe: { httpGet: { path: '/readyz', port: 9090 }, periodSeconds: 1 },
          resources: { limits: { memory: '1Gi' } },
          volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
        },
      ],
    },
  };
}

function call(
  host: string,
  path: string,
  body?: string,
): Promise<{ status: number; body: string }> {
  const agent = node.agent();
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    httpRequest({ agent, host, port: 8080, path, method }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('error', reject);
      answer.on('end', () => {
        agent.destroy();
        resolve({ status: answer.statusCode ?? 0, body: text });
      });
    })
      .once('error', reject)
      .end(body);
  });
}

test('the same files make an image of the same digest, and a label another', () => {
  const layers = [[{ path: 'app/main.mjs', content: 'export {};' }]];
  const image = { name: 'localhost/program:test', layers, entrypoint: ['/app/main.mjs'] };
  const [first, again, labelled] = digestsOf(writeImageArchive, [
    ...[image, image],
    { ...image, labels: { version: '2' } },
  ]);
  expect(again).toBe(first);
  expect(labelled).not.toBe(first);
});

test.skipIf(whyNoImages() !== null)(
  'an image that was built keeps its digest under every name, and a label gives it another',
  async () => {
    const image = await serverImage({ name: 'localhost/server:test' });
    const [first, renamed, labelled] = digestsOf(packLayout, [
      ...[image, { ...image, name: 'localhost/other:test' }],
      { ...image, labels: { version: '2' } },
    ]);
    expect(first).toBe(readLayout(image.layout).descriptor.digest);
    expect(renamed).toBe(first);
    expect(labelled).not.toBe(first);
  },
  300_000,
);

function digestsOf<Content>(
  pack: (path: string, content: Content) => string,
  contents: readonly Content[],
): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), `lc-${process.pid}-`));
  try {
    return contents.map((content) => pack(join(folder, 'image.tar'), content));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.skipIf(node.unavailable !== null)('an image made without Docker', () => {
  test('serves the example model as a restricted pod', async () => {
    const image = 'localhost/layercache-server:test';
    await node.loadImage(await serverImage({ name: image }));
    const { name } = await node.namespace({ labels: restricted });
    const pods = `/api/v1/namespaces/${name}/pods`;
    const made = await node.request({ method: 'POST', path: pods, body: aServerPod(image) });
    expect(made.body).toMatchObject({ kind: 'Pod' });

    const host = await eventually(async () => {
      const { status } = (await node.request({ path: `${pods}/server` })).body as PodStatus;
      const ready = status.conditions?.find(({ type }) => type === 'Ready');
      expect(ready?.status).toBe('True');
      return status.podIP!;
    }, NODE_WAIT_MS);
    const model = '/v2/models/fashion-mnist';
    const described = JSON.parse((await call(host, model)).body) as {
      inputs: { name: string; shape: number[] }[];
    };
    const [input] = described.inputs;
    const shape = [1, ...input!.shape.slice(1)];
    const data = new Array<number>(shape.reduce((a, b) => a * b)).fill(0);
    const answer = await call(
      host,
      `${model}/infer`,
      JSON.stringify({ inputs: [{ name: input!.name, shape, datatype: 'FP32', data }] }),
    );
    expect(answer.status).toBe(200);
  });

  test.skipIf(!hasOperator)('carries the command line beside the operator', async () => {
    const image = 'localhost/layercache-operator:test';
    await node.loadImage(await operatorImage({ name: image }));
    const { name } = await node.namespace({ labels: restricted });
    const container = {
      ...{ name: 'main', image, imagePullPolicy: 'Never', securityContext },
      command: ['/usr/bin/node', '/app/layercache.mjs', 'version'],
    };
    const securityOfPod = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
    await node.request({
      method: 'POST',
      path: `/api/v1/namespaces/${name}/pods`,
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'version' },
        spec: {
          restartPolicy: 'Never',
          securityContext: securityOfPod,
          containers: [container],
        },
      },
    });
    await eventually(async () => {
      const { stdout } = await node.kubectl(['logs', '-n', name, 'version']);
      expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    }, NODE_WAIT_MS);
  });
});
