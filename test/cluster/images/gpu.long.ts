// Images for NVIDIA cards, without a card: what they weigh, that their libraries load as far as the driver, and that a server of theirs
// says that it finds no card instead of serving on processors.
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderTemplateV1 } from '../../../operator/plan/template-v1/render.ts';
import { eventually } from '../../support/eventually.ts';
import { aServiceToPlan, DEFAULTS } from '../../unit/operator/plan/builders.ts';
import { buildImages, whyNoImages } from '../harness/image/built-images.ts';
import { filesOf, readLayout } from '../harness/image/image-layout.ts';
import { whyMissing } from '../harness/missing-program.ts';
import {
  startContainer,
  unpackImage,
  whyNoRunc,
  type RunningContainer,
} from '../harness/image/runc-container.ts';
import type { RunOptions, UnpackedImage } from '../harness/image/runtime-spec.ts';
import { BILL, validComponents } from './image-bill.ts';

const unavailable =
  whyNoImages() ?? whyNoRunc() ?? whyMissing({ python3: 'python3-pip', 'c++': 'g++' });
if (unavailable !== null) process.stderr.write(`\nSKIPPED: images for cards: ${unavailable}\n`);

const MEBI = 2 ** 20;
const BUDGET_MEBI = 6 * 1024;
const ENGINE = '/usr/lib/layercache/engines/tfjs-node-linux-x64';

/** Opens every library, as an engine would: one that is none of Node's says so once it is loaded. Then what the engine says itself. */
const openAll = (engine: string): string => `
  const { readdirSync } = require('node:fs');
  const open = (path) => {
    try {
      process.dlopen({ exports: {} }, path);
      return 'opened';
    } catch (error) {
      return error.message;
    }
  };
  const libraries = readdirSync('/usr/lib/cuda').map((file) => '/usr/lib/cuda/' + file);
  (async () => console.log(JSON.stringify({
    libraries: Object.fromEntries(libraries.map((path) => [path, open(path)])),
    engine: await (${engine})(),
  })))();
`;

const ONNX = `async () => {
  const { InferenceSession } = require('/app/node_modules/onnxruntime-node');
  const session = (name) =>
    InferenceSession.create('/models/fashion-mnist/backbone.onnx', { executionProviders: [name] })
      .then(() => 'created', (error) => error.message);
  return { cpu: await session('cpu'), cuda: await session('cuda') };
}`;
const TENSORFLOW = `async () => {
  const addon = require('${ENGINE}/tfjs_binding.node');
  return { version: addon.TF_Version, isUsingGpuDevice: addon.isUsingGpuDevice() };
}`;

const CASES = [
  {
    name: 'server-gpu',
    driver: '>=580.65.06',
    pins: 'operator/bundle/gpu-requirements.txt',
    script: ONNX,
    // The engine knows the provider, which is there and wants the driver.
    engine: {
      cpu: 'created',
      cuda: 'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
    },
    spec: { backbone: { uri: 'file:///models/fashion-mnist/backbone.onnx' } },
    says: /LAYERCACHE_DEVICE is GPU, and onnxruntime finds no card that it can use/,
  },
  {
    name: 'server-tensorflow-gpu',
    driver: '>=525.60.13',
    pins: 'operator/bundle/gpu-tensorflow-requirements.txt',
    script: TENSORFLOW,
    engine: { version: '2.19.1', isUsingGpuDevice: false },
    spec: {
      backbone: { uri: 'file:///models/graph/model.json', format: 'TFJSGraphModel' },
      server: { engine: 'TFJSGPU' },
    },
    says: /LAYERCACHE_DEVICE is GPU, and TensorFlow finds no card that it can use/,
  },
] as const;

describe.skipIf(unavailable !== null).each(CASES)('the image $name', (one) => {
  const scratch = mkdtempSync(join(tmpdir(), `lc-${process.pid}-`));
  const layout = join(scratch, 'layout');
  let image: UnpackedImage;

  beforeAll(async () => {
    await buildImages({ [one.name]: layout });
    image = await unpackImage(layout, join(scratch, 'image'));
  }, 1_800_000);
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  async function withContainer<Found>(
    options: Pick<RunOptions, 'name' | 'command' | 'environment' | 'files'>,
    look: (container: RunningContainer) => Promise<Found>,
  ): Promise<Found> {
    const pod = { resources: { limits: { 'nvidia.com/gpu': 1, memory: '4Gi' } } };
    const service = aServiceToPlan({ ...one.spec, pod });
    const { spec } = renderTemplateV1({ service, inputs: DEFAULTS.template, adminGeneration: 1 });
    expect(spec!.containers[0]!.image).toMatch(new RegExp(`/${one.name}:`));
    const container = startContainer(image, { ...options, pod: spec! });
    try {
      return await look(container);
    } finally {
      await container.end();
    }
  }

  test('stays below 6 GiB uncompressed', async () => {
    const sizes = [...(await filesOf(layout)).values()];
    const mebi = sizes.reduce((sum, size) => sum + size, 0) / MEBI;
    process.stderr.write(`${one.name}: ${mebi.toFixed(0)} MiB of files\n`);
    expect(mebi).toBeLessThan(BUDGET_MEBI);
  }, 300_000);

  test('is the server with libraries, and says which driver it needs', () => {
    const { config } = readLayout(layout).config;
    expect(config).toMatchObject({
      User: '65532:65532',
      Entrypoint: ['node', expect.any(String), '/app/server.mjs'],
    });
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': `layercache ${one.name}`,
      'io.layercache.nvidia-driver': one.driver,
    });
  });

  test('its libraries need nothing but the driver, and the engine loads without one', async () => {
    const command = ['node', '-e', openAll(one.script)];
    const said = await withContainer({ name: 'open', command }, async (container) => {
      expect(await container.code, container.stderr()).toBe(0);
      return container.stdout();
    });
    const { libraries, engine } = JSON.parse(said.trim().split('\n').at(-1)!) as {
      readonly libraries: Readonly<Record<string, string>>;
      readonly engine: unknown;
    };
    expect(Object.keys(libraries).length).toBeGreaterThan(15);
    for (const [path, opened] of Object.entries(libraries)) {
      expect(opened, path).toMatch(/Module did not self-register|libcuda\.so\.1: cannot open/);
    }
    expect(engine).toEqual(one.engine);
  }, 300_000);

  test('its server says that it finds no card, and does not serve on processors', async () => {
    const example = 'server/examples/fashion-mnist/tfjs_graph_model';
    const environment = {
      LAYERCACHE_BIND_HOST: '127.0.0.1',
      LAYERCACHE_DATA_PORT: '0',
      LAYERCACHE_ADMIN_PORT: '0',
      LAYERCACHE_METRICS_PORT: '0',
    };
    const files = { '/models/graph': join(process.cwd(), example) };
    await withContainer({ name: 'serve', environment, files }, (container) =>
      eventually(() => {
        expect(container.stdout()).toMatch(one.says);
        expect(container.stdout()).not.toContain('"ready"');
        return Promise.resolve();
      }, 120_000),
    );
  }, 300_000);

  test('its bill of materials names the wheels that are pinned, beside what the server holds', async () => {
    const bill = readFileSync(join(image.folder, 'rootfs', BILL), 'utf8');
    const named = (await validComponents(bill)).map(({ purl }) => purl);
    const pins = readFileSync(one.pins, 'utf8');
    const wheels = [...pins.matchAll(/^([\w-]+)==(\S+)/gm)].map(([, n, v]) => `pkg:pypi/${n}@${v}`);
    expect(named.filter((purl) => purl.startsWith('pkg:pypi/'))).toEqual(wheels);
    expect(named.some((purl) => purl.startsWith('pkg:deb/debian/zlib1g@'))).toBe(true);
    expect(named).toContain('pkg:npm/express@5.3.0');
  }, 300_000);
});
