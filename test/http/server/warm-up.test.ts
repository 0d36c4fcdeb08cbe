import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HARD, aPolicy, inferBody, startTestServer } from '../../support/test-server.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'layercache-warmup-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

test('the inputs of a user run on every worker before ready, and count nowhere', async () => {
  writeFileSync(join(dir, 'one.json'), inferBody([HARD]));
  writeFileSync(join(dir, 'three.json'), inferBody([HARD, HARD, HARD]));
  const server = await startTestServer({
    environment: { LAYERCACHE_WARMUP_DIR: dir, LAYERCACHE_WARMUP_ITERATIONS: '2' },
  });
  // Twice both workers, and then the one that takes what is alone.
  const one = [undefined, undefined, true];
  const each = [1, 3].flatMap((rows) => [...one, ...one].map((isAlone) => ({ rows, isAlone })));
  expect(server.engine.batches.map(({ rows, isAlone }) => ({ rows, isAlone }))).toEqual(each);
  expect(server.engine.batches.every(({ flags }) => flags.every((flag) => flag === 8))).toBe(true);
  await server.apply(aPolicy({ auditRate: 1 }));
  await server.ask([HARD]);
  const { windows } = await server.evidence();
  expect(windows.flatMap(({ served }) => served.rows).reduce((sum, rows) => sum + rows, 0)).toBe(1);
  await server.close();
});

test('an input that does not fit is left out and keeps no pod from ready', async () => {
  writeFileSync(join(dir, 'bad.json'), '{"inputs":[]}');
  writeFileSync(join(dir, 'good.json'), inferBody([HARD]));
  const environment = { LAYERCACHE_WARMUP_DIR: dir, LAYERCACHE_WARMUP_ITERATIONS: '1' };
  const server = await startTestServer({ environment });
  expect(server.engine.batches).toHaveLength(3);
  expect((await server.infer([HARD])).status).toBe(200);
  await server.close();
});

test('without iterations, or without inputs, nothing runs', async () => {
  writeFileSync(join(dir, 'one.json'), inferBody([HARD]));
  const none = await startTestServer({
    environment: { LAYERCACHE_WARMUP_DIR: dir, LAYERCACHE_WARMUP_ITERATIONS: '0' },
  });
  expect(none.engine.batches).toEqual([]);
  await none.close();
  const missing = await startTestServer({
    environment: { LAYERCACHE_WARMUP_DIR: join(dir, 'no') },
  });
  expect(missing.engine.batches).toEqual([]);
  await missing.close();
});
