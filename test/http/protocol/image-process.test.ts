// Pictures through the whole product: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelFile } from '../../support/onnx-models/model-file.ts';
import { modelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { colourfulRows, pictureOf } from '../../support/pictures.ts';
import { whenReady } from '../../support/served-process.ts';
import type { StartedServer } from '../../support/server-process.ts';
import { spawnServer } from '../../support/server-process.ts';
import type { HttpAnswer, InferAnswer } from '../../support/test-server.ts';
import { INFER, MODEL, send } from '../../support/test-server.ts';
import { childrenOf } from '../../support/child-processes.ts';

const MEAN = [0.4, 0.5, 0.6];
const STD = [0.2, 0.25, 0.3];
const ROWS = colourfulRows(16);

let file: ModelFile;
let started: StartedServer;
let port: number;
beforeAll(async () => {
  const image = { width: 16, height: 16, colors: 'RGB' };
  const input = { layout: 'NCHW', scale: 1 / 255, mean: MEAN, std: STD, image };
  file = await modelFile(residualNet(), { input });
  started = spawnServer({ LAYERCACHE_BACKBONE_URI: file.path });
  port = (await whenReady(started)).dataPort;
});
afterAll(async () => {
  started.child.kill('SIGKILL');
  await started.code;
  await file.remove();
});

async function scoresOf(answer: HttpAnswer): Promise<number[]> {
  expect([answer.status, answer.body.toString()]).toEqual([200, expect.any(String)]);
  const { outputs } = JSON.parse(answer.body.toString()) as InferAnswer;
  return Promise.resolve(outputs[0]!.data as number[]);
}

const post = (body: string | Uint8Array, type = 'application/json') =>
  send(port, INFER, { method: 'POST', headers: { 'content-type': type }, body });

const planes = [0, 1, 2].map((channel) => ROWS.flat().map((pixel) => pixel[channel]!));

function tensor(datatype: string, data: readonly number[]): string {
  return JSON.stringify({ inputs: [{ name: 'input', shape: [1, 3, 16, 16], datatype, data }] });
}

/** Files that the process has mapped, of native libraries. */
function usesLibvips(pid: number): boolean {
  return readFileSync(`/proc/${pid}/maps`, 'utf8').includes('libvips');
}

async function decoders(): Promise<number[]> {
  const children = await childrenOf(started.child.pid!);
  return children.filter((child) => usesLibvips(child));
}

test('a picture is answered as its normalised pixels are, whichever way it comes', async () => {
  // No picture was seen yet: nothing here has loaded what decodes them.
  expect(await decoders()).toEqual([]);
  const ready = planes.flatMap((plane, channel) =>
    plane.map((value) => (value / 255 - MEAN[channel]!) / STD[channel]!),
  );
  const expected = await scoresOf(await post(tensor('FP32', ready)));
  const close = (scores: number[]) => {
    scores.forEach((score, i) => {
      expect(Math.abs(score - expected[i]!)).toBeLessThan(1e-4);
    });
  };
  close(await scoresOf(await post(tensor('UINT8', planes.flat()))));
  close(await scoresOf(await post(tensor('FP64', ready))));
  expect(await decoders()).toEqual([]);

  const png = await pictureOf(ROWS).png().toBuffer();
  close(await scoresOf(await post(png, 'image/png')));
  const b64 = png.toString('base64');
  const bytes = { name: 'input', shape: [1], datatype: 'BYTES', data: [b64] };
  close(await scoresOf(await post(JSON.stringify({ inputs: [bytes] }))));
  const predicted = await send(port, `/v1/models/${MODEL}:predict`, {
    method: 'POST',
    body: JSON.stringify({ instances: [{ b64 }] }),
  });
  close((JSON.parse(predicted.body.toString()) as { predictions: number[][] }).predictions[0]!);

  // One process of its own decodes; the main one never loads the library.
  expect(await decoders()).toHaveLength(1);
  expect(usesLibvips(started.child.pid!)).toBe(false);
});

test('a decoder that dies is replaced, and costs no request', async () => {
  const png = await pictureOf(ROWS).png().toBuffer();
  await scoresOf(await post(png, 'image/png'));
  const [former] = await decoders();
  const answers = Array.from({ length: 8 }, () => post(png, 'image/png'));
  process.kill(former!, 'SIGKILL');
  for (const answer of await Promise.all(answers)) await scoresOf(answer);
  expect(await decoders()).not.toContain(former);
});

test('a broken picture is named, and the decoder goes on', async () => {
  const jpeg = await pictureOf(ROWS).jpeg().toBuffer();
  const answer = await post(jpeg.subarray(0, jpeg.length / 2), 'image/jpeg');
  expect([answer.status, answer.body.toString()]).toEqual([
    400,
    expect.stringMatching(/^\{"error":"Image 0 of input input cannot be decoded: /),
  ]);
  await scoresOf(await post(jpeg, 'image/jpeg'));
});

test('a model whose declared image is none of its rows is not served', async () => {
  const wrong = await modelFile(residualNet(), { input: { image: { width: 8, height: 8 } } });
  const refused = spawnServer({ LAYERCACHE_BACKBONE_URI: wrong.path });
  expect(await refused.code).toBe(1);
  expect(refused.stderr()).toMatch(
    /input\.image is 8 x 8, but a row of the model is \[3, 16, 16\]/,
  );
  await wrong.remove();
});
