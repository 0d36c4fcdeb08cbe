// The image with native TensorFlow: what it holds beside the server's, and both kinds of models that only it serves so fast, under
// runc with what the operator asks of a pod.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { RECIPE } from '../../../operator/engines/recipe.ts';
import { renderTemplateV1 } from '../../../operator/plan/template-v1/render.ts';
import { freezeGraphModel } from '../../../server/engine/tensorflow/frozen-graph.ts';
import { loadFiles } from '../../../server/engine/tfjs/load-files.ts';
import { createTfjsEngine } from '../../../server/engine/tfjs/tfjs-engine.ts';
import { expectClose } from '../../support/expect-close.ts';
import { engineFolder } from '../../support/native-tensorflow.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { oneRow, stateOf, whenReady } from '../../support/served-process.ts';
import { send } from '../../support/test-server.ts';
import { modelFolder, type ModelFolder } from '../../support/tfjs-models/model-folder.ts';
import { residualNet } from '../../support/tfjs-models/networks.ts';
import { signedSavedModel } from '../../support/tfjs-models/saved-model.ts';
import { aServiceToPlan, DEFAULTS } from '../../unit/operator/plan/builders.ts';
import { buildImages, whyNoImages } from '../harness/image/built-images.ts';
import { filesOf, readLayout } from '../harness/image/image-layout.ts';
import { startContainer, unpackImage, whyNoRunc } from '../harness/image/runc-container.ts';
import type { UnpackedImage } from '../harness/image/runtime-spec.ts';
import { BILL, namingPackages, packagesInside, validComponents } from './image-bill.ts';

const unavailable =
  whyNoImages() ?? whyNoRunc() ?? (engineFolder === null ? 'layercache engines install' : null);
if (unavailable !== null) {
  process.stderr.write(`\nSKIPPED: the image with native TensorFlow: ${unavailable}\n`);
}

const MEBI = 2 ** 20;
const BUDGET_MEBI = 1024;
const ENGINE = 'usr/lib/layercache/engines/tfjs-node-linux-x64';

describe.skipIf(unavailable !== null)('the image with native TensorFlow', () => {
  const scratch = mkdtempSync(join(tmpdir(), `lc-${process.pid}-`));
  const layout = join(scratch, 'layout');
  let image: UnpackedImage;
  let files: ReadonlyMap<string, number>;
  let graphModel: ModelFolder;

  beforeAll(async () => {
    await buildImages({ 'server-tensorflow': layout });
    files = await filesOf(layout);
    image = await unpackImage(layout, join(scratch, 'image'));
    graphModel = await modelFolder(residualNet());
    chmodSync(dirname(graphModel.path), 0o755);
  }, 600_000);
  afterAll(async () => {
    await (graphModel as ModelFolder | undefined)?.remove();
    await rm(scratch, { recursive: true, force: true });
  });

  test('is the server with one engine more, its notices beside it', () => {
    const { config } = readLayout(layout).config;
    expect(config).toMatchObject({
      User: '65532:65532',
      Entrypoint: ['node', expect.any(String), '/app/server.mjs'],
      Labels: {
        'org.opencontainers.image.title': 'layercache server-tensorflow',
        'org.opencontainers.image.licenses': 'Apache-2.0',
      },
    });
    const inside = (pattern: RegExp): readonly string[] =>
      [...files.keys()].filter((path) => pattern.test(path)).sort();
    expect(inside(/^app\/[^/]+\.mjs$/)).toEqual([
      'app/engine-host.mjs',
      'app/engine-onnx-worker.mjs',
      'app/engine-tensorflow-worker.mjs',
      'app/engine-tfjs-worker.mjs',
      'app/image-host.mjs',
      'app/server.mjs',
    ]);
    expect(inside(/^usr\/lib\/layercache\//)).toEqual(
      [
        ...['LICENSE', 'THIRD_PARTY_NOTICES.txt', 'engine.json'],
        ...['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2', 'tfjs_binding.node'],
      ].map((file) => `${ENGINE}/${file}`),
    );
  });

  test('stays below 1 GiB uncompressed', () => {
    const mebi = [...files.values()].reduce((sum, size) => sum + size, 0) / MEBI;
    process.stderr.write(`server-tensorflow: ${mebi.toFixed(0)} MiB of files\n`);
    expect(mebi).toBeLessThan(BUDGET_MEBI);
  });

  test('its bill of materials names the wheel and the addon that are pinned, and all packages inside', async () => {
    const read = (path: string): string => readFileSync(join(image.folder, 'rootfs', path), 'utf8');
    const named = await validComponents(read(BILL));
    const { wheel, addon } = RECIPE;
    expect(named.find(({ full }) => full === wheel.package)).toMatchObject({
      version: wheel.version,
      hashes: [{ content: wheel.sha256 }],
    });
    expect(named.find(({ full }) => full === addon.package)?.version).toBe(addon.version);
    const made = [wheel.package, addon.package] as readonly string[];
    const naming = namingPackages(files.keys());
    const packages = packagesInside(new Map(naming.map((path) => [path, read(path)])));
    expect(named.map(({ full }) => full).sort()).toEqual([...packages, ...made].sort());
    for (const { full, licenses } of named) expect(licenses?.length, full).toBeGreaterThan(0);
  });

  /** Answers of the image, on the engine, to a row. */
  async function answersOf(format: string, folder: string, file: string): Promise<Float32Array> {
    const place = '/models/mounted';
    const service = aServiceToPlan({
      modelName: 'residual',
      backbone: { uri: `file://${place}/${file}`, format },
      server: { engine: 'TFJSNode' },
    });
    const pod = renderTemplateV1({ service, inputs: DEFAULTS.template, adminGeneration: 1 }).spec!;
    expect(pod.containers[0]!.image).toBe(DEFAULTS.template.tensorflowImage);
    const container = startContainer(image, {
      ...{ pod, name: format.toLowerCase(), files: { [place]: folder } },
      environment: {
        LAYERCACHE_BIND_HOST: '127.0.0.1',
        LAYERCACHE_DATA_PORT: '0',
        LAYERCACHE_ADMIN_PORT: '0',
        LAYERCACHE_METRICS_PORT: '0',
        LAYERCACHE_ENGINE_THREADS: '1',
      },
    });
    onTestFinished(async ({ task }) => {
      if (task.result?.state === 'fail') {
        process.stderr.write(`--- ${format}\n${container.stdout()}${container.stderr()}\n`);
      }
      await container.end();
    });
    const { dataPort, adminPort } = await whenReady(container);
    const state = await stateOf(adminPort);
    expect(state.engine).toMatchObject({ kind: 'tfjs-node', versions: { tensorflow: '2.19.1' } });
    expect(state.backbone.format).toBe(format);
    const answer = await send(dataPort, '/v2/models/residual/infer', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(oneRow(state, (index) => row()[index]!)),
    });
    expect(answer.status, answer.body.toString()).toBe(200);
    const { outputs } = JSON.parse(answer.body.toString()) as {
      readonly outputs: readonly { readonly data: readonly number[] }[];
    };
    return Float32Array.from(outputs[0]!.data);
  }

  /** What TensorFlow.js itself makes of the row. */
  async function expectation(): Promise<Float32Array> {
    const engine = createTfjsEngine('wasm');
    await engine.open({ path: graphModel.path, outputName: null, digest: null });
    const [logits] = await engine.output(await engine.plan([]), engine.upload(row(), 1));
    await engine.close();
    return logits!;
  }

  test('serves a graph model as its operator runs it: nobody, on a root that cannot be written', async () => {
    const found = await answersOf('TFJSGraphModel', dirname(graphModel.path), 'model.json');
    expectClose(found, await expectation(), { rel: 1e-4, abs: 1e-5 });
  }, 120_000);

  test('serves the same model as a flat SavedModel', async () => {
    const { path } = graphModel;
    const { definitions } = freezeGraphModel(
      path,
      await loadFiles({ path, outputName: null, digest: null }),
    );
    const folder = join(scratch, 'saved');
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'saved_model.pb'),
      signedSavedModel(
        [...definitions.values()].flat(),
        { key: 'image', tensor: 'input', dims: [-1, 16, 16, 3] },
        { key: 'logits', tensor: 'dense_out', dims: [-1, 10] },
      ),
    );
    const found = await answersOf('SavedModel', folder, 'saved_model.pb');
    expectClose(found, await expectation(), { rel: 1e-4, abs: 1e-5 });
  }, 120_000);
});

function row(): Float32Array {
  const random = seededRandom(3);
  return Float32Array.from({ length: 16 * 16 * 3 }, () => random.normal());
}
