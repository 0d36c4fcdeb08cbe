// The images as their Dockerfiles make them, under runc with what the chart and the operator ask of a pod.
import type { PodSpec } from 'kubernetes-types/core/v1.js';
import { chmodSync, copyFileSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { renderTemplateV1 } from '../../../operator/plan/template-v1/render.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { parseMetricPage } from '../../support/metric-page.ts';
import { linesOf, oneRow, stateOf, whenReady } from '../../support/served-process.ts';
import { send } from '../../support/test-server.ts';
import { only, renderObjects, type ChartObject } from '../../unit/charts/helm.ts';
import { aServiceToPlan, DEFAULTS } from '../../unit/operator/plan/builders.ts';
import { whyNoImages } from '../harness/image/built-images.ts';
import {
  startContainer,
  unpackImage,
  whyNoRunc,
  type RunningContainer,
} from '../harness/image/runc-container.ts';
import type { RunOptions, UnpackedImage } from '../harness/image/runtime-spec.ts';
import { loadProductImages } from '../harness/image/shared-images.ts';
import { installDefinitions } from '../kube/definitions.ts';

const unavailable = whyNoImages() ?? whyNoRunc();
if (unavailable !== null) process.stderr.write(`\nSKIPPED: images under runc: ${unavailable}\n`);
const plane = await sharedControlPlane();

const MEBI = 2 ** 20;
const DRAIN_DELAY = '2s';
const LOOPBACK = { LAYERCACHE_BIND_HOST: '127.0.0.1', LAYERCACHE_METRICS_PORT: '0' };
const OF_SERVER = {
  ...LOOPBACK,
  LAYERCACHE_DATA_PORT: '0',
  LAYERCACHE_ADMIN_PORT: '0',
  LAYERCACHE_ENGINE_THREADS: '1',
};

/** What the operator makes of a service. */
function serverPod(): PodSpec {
  const service = aServiceToPlan({
    modelName: 'fashion-mnist',
    backbone: { uri: 'file:///models/fashion-mnist/backbone.onnx' },
    server: { drain: { delay: DRAIN_DELAY } },
  });
  return renderTemplateV1({ service, inputs: DEFAULTS.template, adminGeneration: 1 }).spec!;
}

interface PodBearer extends ChartObject {
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}

/** What the chart makes with its defaults. */
async function operatorPod(): Promise<PodSpec> {
  return (only(await renderObjects(), 'Deployment') as PodBearer).spec.template.spec;
}

/** Says what a process of the container may do, and ends. */
const PROBE = `
  const { readFileSync, writeFileSync } = require('node:fs');
  const write = (path, bytes = 1) => {
    try {
      writeFileSync(path, Buffer.alloc(bytes));
      return 'written';
    } catch (error) {
      return error.code;
    }
  };
  const places = JSON.parse(process.argv[1]);
  console.log(JSON.stringify({
    status: readFileSync('/proc/self/status', 'utf8'),
    writes: Object.fromEntries(places.map((place) => [place, write(place + '/probe')])),
    tooMuch: write('/tmp/large', 65 * 2 ** 20),
  }));
`;

interface Probed {
  readonly status: string;
  readonly writes: Readonly<Record<string, string>>;
  readonly tooMuch: string;
}

describe.skipIf(unavailable !== null)('an image under runc, as its pod is', () => {
  const scratch = mkdtempSync(join(tmpdir(), `lc-${process.pid}-`));
  let server: UnpackedImage;
  let operator: UnpackedImage;

  beforeAll(async () => {
    const layouts = await loadProductImages();
    server = await unpackImage(layouts.server, join(scratch, 'server'));
    operator = await unpackImage(layouts.operator, join(scratch, 'operator'));
  }, 600_000);
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  function start(image: UnpackedImage, options: RunOptions): RunningContainer {
    const container = startContainer(image, options);
    onTestFinished(({ task }) => {
      if (task.result?.state === 'fail') {
        process.stderr.write(`--- ${options.name}\n${container.stdout()}${container.stderr()}\n`);
      }
      return container.end();
    });
    return container;
  }

  async function probe(name: 'server' | 'operator', places: readonly string[]): Promise<Probed> {
    const [image, pod] =
      name === 'server' ? [server, serverPod()] : [operator, await operatorPod()];
    const command = ['node', '-e', PROBE, JSON.stringify(places)];
    const container = start(image, { pod, name: `${name}-probe`, command });
    expect(await container.code, container.stderr()).toBe(0);
    return JSON.parse(container.stdout()) as Probed;
  }

  test.each([
    ['server', ['/tmp', '/var/cache/layercache']],
    ['operator', ['/tmp']],
  ] as const)(
    '%s is nobody, can do nothing of what root can, and writes only where it is let',
    async (name, writable) => {
      const elsewhere = ['', '/app', '/etc', '/usr'];
      const { status, writes, tooMuch } = await probe(name, [...elsewhere, ...writable]);
      const field = (key: string): string | undefined =>
        new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1];
      expect(field('Uid')).toBe('65532\t65532\t65532\t65532');
      expect(field('Gid')).toBe('65532\t65532\t65532\t65532');
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
        expect(field(set), set).toBe('0000000000000000');
      }
      expect(field('NoNewPrivs')).toBe('1');
      for (const place of elsewhere) expect(writes[place], place).toBe('EROFS');
      for (const place of writable) expect(writes[place], place).toBe('written');
      expect(tooMuch).toBe('ENOSPC');
    },
  );

  test('server answers within its memory, and a drain under load loses no request', async () => {
    const pod = serverPod();
    const container = start(server, { pod, name: 'server', environment: OF_SERVER });
    const { dataPort, adminPort, metricsPort } = await whenReady(container);
    expect(container.memoryLimitBytes()).toBe(2048 * MEBI);
    expect((await send(metricsPort, '/readyz')).status).toBe(200);
    const page = parseMetricPage((await send(metricsPort, '/metrics')).body.toString());
    expect(page.series.get('layercache_ready{model="fashion-mnist"}')).toBe(1);

    const body = JSON.stringify(oneRow(await stateOf(adminPort), () => 0));
    const headers = { 'content-type': 'application/json' };
    const infer = () =>
      send(dataPort, '/v2/models/fashion-mnist/infer', { method: 'POST', headers, body });
    const answer = JSON.parse((await infer()).body.toString()) as { outputs: { data: number[] }[] };
    expect(answer.outputs[0]?.data).toHaveLength(10);

    // As endpoints do: requests come until the pod has said for a while that it leaves.
    const statuses: number[] = [];
    let isEndpoint = true;
    const client = async (): Promise<void> => {
      while (isEndpoint) statuses.push((await infer()).status);
    };
    const clients = Promise.all([client(), client(), client(), client()]);
    // Where the test fails earlier, that is what it says.
    clients.catch(() => undefined);
    await eventually(() => {
      expect(statuses.length).toBeGreaterThan(100);
    }, 30_000);
    const beforeSignal = statuses.length;
    const startedMs = performance.now();
    container.signal('SIGTERM');
    await eventually(async () => {
      expect((await send(metricsPort, '/readyz')).status).toBe(503);
    }, 30_000);
    const whileLeaving = statuses.length;
    await eventually(() => {
      expect(statuses.length).toBeGreaterThan(whileLeaving + 20);
    }, 30_000);
    isEndpoint = false;
    await clients;
    expect(await container.code).toBe(0);
    const seconds = (performance.now() - startedMs) / 1000;
    process.stderr.write(
      `drain of a server: ${seconds.toFixed(1)} s after SIGTERM with a delay of ${DRAIN_DELAY}, ` +
        `${statuses.length - beforeSignal} requests answered meanwhile\n`,
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(seconds).toBeLessThan(pod.terminationGracePeriodSeconds!);
    expect(linesOf(container).map(({ msg }) => msg)).toContain('leaving');
  }, 120_000);

  test('a second signal ends a server at once, without the drain', async () => {
    const environment = { ...OF_SERVER, LAYERCACHE_DRAIN_DELAY: '30s' };
    const container = start(server, { pod: serverPod(), name: 'server-twice', environment });
    await whenReady(container);
    container.signal('SIGTERM');
    await eventually(() => {
      expect(container.stdout()).toContain('"leaving"');
    }, 30_000);
    container.signal('SIGTERM');
    expect(await container.code).toBe(1);
  }, 120_000);

  test.skipIf(plane.unavailable !== null)(
    'operator gets ready at a real API server, tells metrics, and hands over when told to end',
    async () => {
      await installDefinitions(plane);
      const { name: namespace } = await plane.namespace();
      const kubeconfig = join(scratch, 'kubeconfig');
      copyFileSync(plane.kubeconfigPath, kubeconfig);
      chmodSync(kubeconfig, 0o644);
      const pod = await operatorPod();
      const container = start(operator, {
        ...{ pod, name: 'operator' },
        files: { '/etc/kubeconfig': kubeconfig },
        environment: {
          ...LOOPBACK,
          LAYERCACHE_KUBECONFIG: '/etc/kubeconfig',
          LAYERCACHE_NAMESPACE: namespace,
          LAYERCACHE_WATCH_NAMESPACES: namespace,
        },
      });
      const port = await eventually(() => {
        const [, digits] = /"port":(\d+)/.exec(container.stdout()) ?? [];
        return Number(digits ?? expect.fail('no port yet'));
      }, 60_000);
      await eventually(async () => {
        expect((await send(port, '/readyz')).status).toBe(200);
      }, 60_000);
      expect(container.memoryLimitBytes()).toBe(512 * MEBI);
      const page = parseMetricPage((await send(port, '/metrics')).body.toString());
      expect(page.of('layercache_operator_build_info')).toHaveLength(1);

      const startedMs = performance.now();
      container.signal('SIGTERM');
      expect(await container.code).toBe(0);
      const seconds = (performance.now() - startedMs) / 1000;
      process.stderr.write(`end of an operator: ${seconds.toFixed(1)} s after SIGTERM\n`);
      expect(seconds).toBeLessThan(pod.terminationGracePeriodSeconds!);
    },
    120_000,
  );
});
