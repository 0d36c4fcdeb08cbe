// Engine hosts that cut a model as on a card: each segment from the input, batches padded. `npm run build` comes first.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEngineClient } from '../../../server/engine/client.ts';
import {
  RowFlag,
  type EngineClient,
  type EngineReport,
  type PlanReport,
  type RowAnswer,
} from '../../../server/engine/engine-client.ts';
import { expectClose } from '../../support/expect-close.ts';
import { hostOfWorker, type HostOfWorker } from '../../support/host-of-worker.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { aBundle } from '../../support/onnx-models/random-head.ts';
import { HOST_SCRIPT } from '../../support/real-engine-server.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const ROW_SIZE = 3 * 16 * 16;
/** More than the largest session takes, and no size that one is made for. */
const ROWS = 37;
const random = seededRandom(33);
const input = Float32Array.from({ length: ROWS * ROW_SIZE }, () => random.normal());

let file: ModelFile;
let host: HostOfWorker;
const open: EngineClient[] = [];

beforeAll(async () => {
  file = await modelFile(residualNet());
  host = await hostOfWorker(
    fileURLToPath(new URL('../../support/card-worker.ts', import.meta.url)),
  );
});

afterAll(async () => {
  for (const client of open) await client.close();
  await host.remove();
  await file.remove();
});

interface Started {
  readonly client: EngineClient;
  readonly report: EngineReport;
}

async function start(hostScript: string): Promise<Started> {
  const source = { path: file.path, outputName: null, digest: null };
  const client = createEngineClient({ hostScript, source, engine: 'Auto', threads: 1 });
  open.push(client);
  return { client, report: await client.start() };
}

/** Half of the scores are above it, so some rows leave at each exit. */
const EXITS = [
  { tensor: 'stem', intercept: 6 },
  { tensor: 'block1', intercept: 6 },
];

function prepare({ client, report }: Started): Promise<PlanReport> {
  const bundle = aBundle(report.model, EXITS);
  const activeExits = bundle.heads.map(({ exit }) => exit);
  const track = { track: 'stable', headRevision: 'sha256:heads', bundle } as const;
  return client.prepare({ tracks: [{ ...track, activeExits, lambdaIndex: 60 }], samples: [] });
}

async function answers({ client }: Started, planId: number): Promise<readonly RowAnswer[]> {
  const found: RowAnswer[] = [];
  const flags = Uint8Array.from({ length: ROWS }, (_, row) => (row % 5 === 0 ? RowFlag.Audit : 0));
  const bytes = [new Uint8Array(input.buffer)];
  await client.run({ planId, rows: ROWS, datatype: 'FP32', input: bytes, flags }, (some) => {
    found.push(...some);
  });
  return found.sort((a, b) => a.row - b.row);
}

test('rows leave where they leave on processors, with the same answers', async () => {
  const card = await start(host.hostScript);
  const processors = await start(HOST_SCRIPT);
  const found = await answers(card, (await prepare(card)).planId);
  const expected = await answers(processors, (await prepare(processors)).planId);
  expect(found.map(({ exit }) => exit)).toEqual(expected.map(({ exit }) => exit));
  expect(new Set(found.map(({ exit }) => exit)).size).toBeGreaterThan(1);
  for (const [row, { outputs }] of found.entries()) {
    expectClose(outputs[0]!, expected[row]!.outputs[0]!, { rel: 1e-5, abs: 1e-5 });
  }
});

test('each cut has a price of its own, from the input', async () => {
  const card = await start(host.hostScript);
  const { costs } = await prepare(card);
  expect(costs).toMatchObject({ fromInput: true, cuts: ['stem', 'block1'] });
  expect(costs.segmentMs.every((segments) => segments.length === 3)).toBe(true);
  const { cuts } = card.report.model;
  expect(cuts.every(({ msShare }) => msShare > 0)).toBe(true);
  expect(card.report.costs.fromInput).toBe(true);
});
