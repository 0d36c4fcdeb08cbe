// Clients that nobody here wrote, against the whole product: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelFile } from '../../support/onnx-models/model-file.ts';
import { modelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { colourfulRows, pictureOf } from '../../support/pictures.ts';
import { whenReady } from '../../support/served-process.ts';
import type { StartedServer } from '../../support/server-process.ts';
import { spawnServer } from '../../support/server-process.ts';
import { INFER, MODEL, send } from '../../support/test-server.ts';
import { pythonMissing, pythonWithClients } from './python-environment.ts';

type Scores = number[][];
type Refusal = [status: number | string, message: string] | null;

const INSTALL_MS = 10 * 60_000;

describe.skipIf(pythonMissing !== null)('clients of others', () => {
  let python: string;
  let file: ModelFile;
  let folder: string;
  let server: StartedServer;
  let port: number;
  let expected: Scores;
  let expectedPictures: Scores;

  beforeAll(async () => {
    python = pythonWithClients();
    const image = { width: 16, height: 16 };
    file = await modelFile(residualNet(), { input: { scale: 1 / 255, image } });
    server = spawnServer({ LAYERCACHE_BACKBONE_URI: file.path });
    port = (await whenReady(server)).dataPort;
    folder = await mkdtemp(join(tmpdir(), 'layercache-pictures-'));
    const rows = colourfulRows(16);
    await writeFile(join(folder, 'a.png'), await pictureOf(rows).png().toBuffer());
    await writeFile(join(folder, 'b.png'), await pictureOf(rows.toReversed()).png().toBuffer());

    const ready = Array.from({ length: 2 * 768 }, (_, i) => i / 1000);
    expected = await scoresOf('FP32', ready);
    const planes = [rows, rows.toReversed()].flatMap((picture) =>
      [0, 1, 2].flatMap((channel) => picture.flat().map((pixel) => pixel[channel]!)),
    );
    expectedPictures = await scoresOf('UINT8', planes);
  }, INSTALL_MS);

  afterAll(async () => {
    server.child.kill('SIGKILL');
    await server.code;
    await file.remove();
    await rm(folder, { recursive: true, force: true });
  });

  /** What the server says to nobody's client: the numbers that the others must see. */
  async function scoresOf(datatype: string, data: readonly number[]): Promise<Scores> {
    const body = JSON.stringify({
      inputs: [{ name: 'input', shape: [2, 3, 16, 16], datatype, data }],
    });
    const answer = await send(port, INFER, { method: 'POST', body });
    const { outputs } = JSON.parse(answer.body.toString()) as { outputs: { data: number[] }[] };
    const { data: scores } = outputs[0]!;
    return [scores.slice(0, 10), scores.slice(10)];
  }

  function close(scores: Scores, wanted: Scores, error = 1e-5): void {
    expect(scores.map((row) => row.length)).toEqual(wanted.map((row) => row.length));
    scores.flat().forEach((score, i) => {
      expect(Math.abs(score - wanted.flat()[i]!)).toBeLessThan(error);
    });
  }

  async function run<T>(script: string, ...parts: readonly string[]): Promise<T> {
    const path = new URL(script, import.meta.url).pathname;
    const child = spawn(python, [path, ...parts], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const code = await new Promise((resolve) => child.on('close', resolve));
    if (code !== 0) throw new Error(`${script}: ${err}`);
    return JSON.parse(out) as T;
  }

  test('tritonclient reads and sends everything, binary and JSON, and understands each refusal', async () => {
    const seen = await run<{
      readonly [name: string]: unknown;
      readonly server: object;
      readonly model: object;
      readonly binary: Scores;
      readonly json: Scores;
      readonly mixed: Scores[];
      readonly halves: Scores;
      readonly doubles: Scores;
      readonly compressed: Scores[];
      readonly many: Scores[];
      readonly pictures: Scores;
      readonly errors: Readonly<Record<string, Refusal>>;
    }>('triton_client.py', `127.0.0.1:${port}`, MODEL, folder);

    expect(seen).toMatchObject({
      live: true,
      ready: true,
      model_ready: true,
      version_ready: true,
      other_ready: false,
      id: 'triton-1',
      exit: 'backbone',
      backbone: 'backbone',
    });
    expect(seen.server).toMatchObject({ name: 'layercache', extensions: ['binary_tensor_data'] });
    expect(seen.model).toMatchObject({
      name: MODEL,
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 3, 16, 16] }],
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 10], exitSupplies: true }],
    });
    for (const scores of [
      seen.binary,
      seen.json,
      ...seen.mixed,
      seen.doubles,
      ...seen.compressed,
      ...seen.many,
    ]) {
      close(scores, expected);
    }
    expect(seen.many).toHaveLength(8);
    // Halves of these inputs are off by a thousandth.
    close(seen.halves, expected, 0.05);
    close(seen.pictures, expectedPictures, 1e-4);
    expect(seen.errors).toEqual({
      model: ['404', 'There is no model other here; this server has digits.'],
      version: ['404', 'Model digits has no version 7; it has 1.'],
      shape: [
        '400',
        expect.stringMatching(/^Input input has shape \[2,2,16,16\]; this model takes/),
      ],
      datatype: ['400', expect.stringMatching(/^Input input has datatype INT64; this model takes/)],
      mode: ['400', 'Parameter layercache_mode is fast; use auto or backbone.'],
    });
  });

  test("KServe's client speaks both protocols and understands each refusal", async () => {
    const { v2, v1 } = await run<{
      readonly v2: {
        readonly [name: string]: unknown;
        readonly json: Scores;
        readonly binary: Scores;
        readonly errors: Readonly<Record<string, Refusal>>;
      };
      readonly v1: {
        readonly [name: string]: unknown;
        readonly predictions: Scores;
        readonly outputs: Scores;
        readonly errors: Readonly<Record<string, Refusal>>;
      };
    }>('kserve_client.py', `http://127.0.0.1:${port}`, MODEL);

    expect(v2).toMatchObject({
      live: true,
      ready: true,
      model_ready: true,
      id: 'kserve-1',
      exit: 'backbone',
      exit_header: 'backbone',
    });
    close(v2.json, expected);
    close(v2.binary, expected);
    expect(v2.errors).toEqual({
      model: [404, expect.stringMatching(/^There is no model other here/)],
      shape: [400, expect.stringMatching(/^Input input has shape \[2,2,16,16\]/)],
      mode: [
        400,
        expect.stringMatching(/^Parameter layercache_mode is fast; use auto or backbone/),
      ],
    });

    expect(v1).toMatchObject({ live: true, model_ready: true, exit_header: 'backbone' });
    close(v1.predictions, expected);
    close(v1.outputs, expected);
    expect(v1.errors).toEqual({
      model: [404, expect.stringMatching(/^There is no model other here/)],
      rows: [400, expect.stringMatching(/^Input input brings 1 values/)],
      explain: [404, expect.stringMatching(/^There is nothing at POST/)],
    });
  });
});
