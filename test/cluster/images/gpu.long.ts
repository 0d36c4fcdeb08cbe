// The image for NVIDIA cards, without a card: what it weighs, and that its libraries load as far as the driver.
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderTemplateV1 } from '../../../operator/plan/template-v1/render.ts';
import { aServiceToPlan, DEFAULTS } from '../../unit/operator/plan/builders.ts';
import { buildImages, whyNoImages } from '../harness/image/built-images.ts';
import { filesOf, readFilesOf, readLayout } from '../harness/image/image-layout.ts';
import { whyMissing } from '../harness/missing-program.ts';
import { startContainer, unpackImage, whyNoRunc } from '../harness/image/runc-container.ts';
import type { UnpackedImage } from '../harness/image/runtime-spec.ts';

const unavailable = whyNoImages() ?? whyNoRunc() ?? whyMissing({ python3: 'python3-pip' });
if (unavailable !== null) process.stderr.write(`\nSKIPPED: image for cards: ${unavailable}\n`);

const MEBI = 2 ** 20;
const BUDGET_MEBI = 6 * 1024;

/** Opens every library, as onnxruntime would: one that is none of Node's says so once it is loaded. */
const OPEN_ALL = `
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
  const { InferenceSession } = require('/app/node_modules/onnxruntime-node');
  const session = (name) =>
    InferenceSession.create('/models/fashion-mnist/backbone.onnx', { executionProviders: [name] })
      .then(() => 'created', (error) => error.message);
  (async () => console.log(JSON.stringify({
    libraries: Object.fromEntries(libraries.map((path) => [path, open(path)])),
    cpu: await session('cpu'),
    cuda: await session('cuda'),
  })))();
`;

interface Opened {
  readonly libraries: Readonly<Record<string, string>>;
  readonly cpu: string;
  readonly cuda: string;
}

describe.skipIf(unavailable !== null)('the image for NVIDIA cards', () => {
  const scratch = mkdtempSync(join(tmpdir(), `lc-${process.pid}-`));
  const layout = join(scratch, 'layout');
  let image: UnpackedImage;

  beforeAll(async () => {
    await buildImages({ 'server-gpu': layout }, { isForGpu: true });
    image = await unpackImage(layout, join(scratch, 'image'));
  }, 1_800_000);
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  test('stays below 6 GiB uncompressed', async () => {
    const sizes = [...(await filesOf(layout)).values()];
    const mebi = sizes.reduce((sum, size) => sum + size, 0) / MEBI;
    process.stderr.write(`server-gpu: ${mebi.toFixed(0)} MiB of files\n`);
    expect(mebi).toBeLessThan(BUDGET_MEBI);
  }, 300_000);

  test('is the server with libraries, and says which driver it needs', () => {
    const { config } = readLayout(layout).config;
    expect(config).toMatchObject({
      User: '65532:65532',
      Entrypoint: ['node', expect.any(String), '/app/server.mjs'],
    });
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'layercache server-gpu',
      'io.layercache.nvidia-driver': '>=580.65.06',
    });
  });

  test('its libraries need nothing but the driver, and the engine still runs without one', async () => {
    const service = aServiceToPlan();
    const { spec } = renderTemplateV1({ service, inputs: DEFAULTS.template, adminGeneration: 1 });
    const command = ['node', '-e', OPEN_ALL];
    const container = startContainer(image, { pod: spec!, name: 'gpu', command });
    try {
      expect(await container.code, container.stderr()).toBe(0);
    } finally {
      await container.end();
    }
    const { libraries, cpu, cuda } = JSON.parse(container.stdout()) as Opened;
    expect(Object.keys(libraries).length).toBeGreaterThan(15);
    for (const [path, said] of Object.entries(libraries)) {
      expect(said, path).toMatch(/Module did not self-register|libcuda\.so\.1: cannot open/);
    }
    expect(cpu).toBe('created');
    // The engine knows the provider, which is there and wants the driver.
    expect(cuda).toBe(
      'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
    );
    expect(container.stderr()).toMatch(
      /providers_cuda\.so with error: libcuda\.so\.1: cannot open/,
    );
  }, 300_000);

  test('its bill of materials names the wheels that are pinned, beside what the server holds', async () => {
    const path = 'app/sbom.cdx.json';
    const bill = (await readFilesOf(layout, [path])).get(path)!;
    const problems: unknown = await new Validation.JsonStrictValidator(
      Spec.Version.v1dot6,
    ).validate(bill);
    expect(problems).toBeNull();
    const { components } = JSON.parse(bill) as { readonly components: readonly { purl: string }[] };
    const named = components.map(({ purl }) => purl);
    const pins = readFileSync('operator/bundle/gpu-requirements.txt', 'utf8');
    const wheels = [...pins.matchAll(/^([\w-]+)==(\S+)/gm)].map(([, n, v]) => `pkg:pypi/${n}@${v}`);
    expect(named.filter((purl) => purl.startsWith('pkg:pypi/'))).toEqual(wheels);
    expect(named.some((purl) => purl.startsWith('pkg:deb/debian/zlib1g@'))).toBe(true);
    expect(named).toContain('pkg:npm/express@5.3.0');
  }, 300_000);
});
