import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '../../../server/core/random.ts';
import { createCache } from '../../bench/exits/cache.ts';
import { measureCase } from '../../bench/exits/measure-case.ts';
import type { CaseResults } from '../../bench/exits/results.ts';
import { RULE_NAMES } from '../../bench/exits/rules/rule-names.ts';
import type { ExitsCase } from '../../bench/exits/stream.ts';
import { randomResNet, TINY_RESNET } from '../../bench/models.ts';

const ROWS = 3_200;
const SIDE = 32;
/** Of training on a machine that does other things too. */
const DEADLINE_MS = 300_000;

/** Pictures of one colour each with some noise, as rows that a random network sorts by colour. */
function colouredPictures(): Buffer {
  const random = createRandom(5);
  const plane = SIDE * SIDE;
  const values = new Float32Array(ROWS * 3 * plane);
  for (let row = 0; row < ROWS; row++)
    for (let channel = 0; channel < 3; channel++) {
      const colour = 2 * random.normal();
      const from = (row * 3 + channel) * plane;
      for (let pixel = 0; pixel < plane; pixel++)
        values[from + pixel] = colour + 0.3 * (2 * random.uniform() - 1);
    }
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${ROWS}, 3, ${SIDE}, ${SIDE}), }`;
  const padded = header.padEnd(117) + '\n';
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length, 0]);
  return Buffer.concat([start, Buffer.from(padded), Buffer.from(values.buffer)]);
}

describe('the comparison of exit rules on a small random network', () => {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-exits-'));
  const exitsCase: ExitsCase = {
    ...{ name: 'small', modelPath: join(folder, 'backbone.onnx') },
    ...{ traffic: `npy:${join(folder, 'rows.npy')}`, headTraffic: null, labels: null, rows: null },
  };
  const extent = { levels: [0.05], splits: 2, attempts: 5 };
  const cache = createCache(join(folder, 'cache'));
  let results: CaseResults;

  beforeAll(async () => {
    writeFileSync(exitsCase.modelPath, randomResNet(TINY_RESNET, 1));
    writeFileSync(join(folder, 'rows.npy'), colouredPictures());
    results = await measureCase(exitsCase, extent, cache);
  }, DEADLINE_MS);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test('asks every rule about rows that trained no head', () => {
    const [level] = results.levels;
    expect(level?.rules.map(({ name }) => name).sort()).toEqual(Object.values(RULE_NAMES).sort());
    expect(results.trainingRows + results.settingRows + results.judgingRows).toBe(ROWS);
    expect(level?.heads.length).toBeGreaterThan(0);
  });

  test('sets no rule with hindsight but what stays within the level, and saves by it', () => {
    const rule = (name: string): number =>
      results.levels[0]?.rules.find((one) => one.name === name)?.equal?.mean ?? NaN;
    for (const name of [RULE_NAMES.ours, RULE_NAMES.selfXit, RULE_NAMES.branchyNet])
      expect(rule(name)).toBeGreaterThan(0.05);
  });

  test('replays attempts, and finds what was computed when it runs again', async () => {
    expect(results.levels[0]?.replay).toMatchObject({ attempts: 5, rowsOfAttempt: 3_000 });
    const kept = readdirSync(join(folder, 'cache')).sort();
    expect(kept.map((name) => name.split('-')[0])).toEqual(['features', 'full', 'heads', 'logits']);
    const again = await measureCase(exitsCase, extent, cache);
    expect(again.levels[0]?.replay).toEqual(results.levels[0]?.replay);
    expect(readdirSync(join(folder, 'cache')).sort()).toEqual(kept);
  });
});
