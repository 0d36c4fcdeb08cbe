// A server process that dies for its policy: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import { eventually } from '../../support/eventually.ts';
import { aBundle } from '../../support/onnx-models/random-head.ts';
import { residualServers } from '../../support/residual-servers.ts';
import {
  applyPolicy,
  describedModel,
  policyFor,
  stateOf,
  whenReady,
} from '../../support/served-process.ts';
import type { StartedServer } from '../../support/server-process.ts';
import { rowRequest } from '../../support/swap-run.ts';
import { INFER, digestOf, send } from '../../support/test-server.ts';

const startServer = residualServers();
let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'layercache-poison-'));
  mkdirSync(join(dir, 'cache'));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const start = (environment: Record<string, string> = {}): StartedServer =>
  startServer({ LAYERCACHE_CACHE_DIR: join(dir, 'cache'), ...environment });

/** The process is ended as soon as the note is on the disk that it applies a policy. */
async function dieWhileApplying(mount: string): Promise<void> {
  const noted = new Promise<void>((resolve) => {
    const watcher = watch(join(dir, 'cache'), (_, name) => {
      if (name !== 'applying.json') return;
      watcher.close();
      resolve();
    });
  });
  const { child, code } = start({ LAYERCACHE_POLICY_DIR: mount });
  await noted;
  child.kill('SIGKILL');
  await code;
}

test('a mounted policy that ended the process twice is skipped at the third start: the backbone answers, and the next policy applies', async () => {
  const first = start();
  const { adminPort } = await whenReady(first);
  const model = describedModel(await stateOf(adminPort));
  first.child.kill('SIGKILL');
  await first.code;
  const bundle = aBundle(model, [{ tensor: 'stem', intercept: 50 }]);
  const bytes = encodeHeadBundle(bundle);
  const mount = join(dir, 'policy');
  mkdirSync(join(mount, '..1'), { recursive: true });
  writeFileSync(join(mount, '..1', 'stable.bundle'), bytes);
  const policy = policyFor(bundle, digestOf(bytes), 7);
  writeFileSync(join(mount, '..1', 'policy.json'), JSON.stringify(policy));
  symlinkSync('..1', join(mount, '..data'));

  await dieWhileApplying(mount);
  await dieWhileApplying(mount);
  expect(JSON.parse(readFileSync(join(dir, 'cache', 'applying.json'), 'utf8'))).toMatchObject({
    revision: 7,
    starts: 2,
  });

  const third = start({ LAYERCACHE_POLICY_DIR: mount });
  const ports = await whenReady(third);
  expect((await stateOf(ports.adminPort)).acknowledgement).toMatchObject({
    result: 'Rejected',
    reason: 'PolicyCrashed',
    epoch: 0,
  });
  const exit = async (): Promise<unknown> => {
    const answer = await send(ports.dataPort, INFER, { method: 'POST', ...rowRequest(1) });
    expect(answer.status).toBe(200);
    return answer.headers['layercache-exit'];
  };
  expect(await exit()).toBe('backbone');
  expect(await applyPolicy(ports.adminPort, { ...policy, revision: 8 })).toMatchObject({
    result: 'Applied',
    reason: '',
  });
  await eventually(async () => {
    expect(await exit()).toBe('exit-stem');
  });
});
