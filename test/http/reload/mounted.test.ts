import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Acknowledgement } from '../../../crds/wire/acknowledgement.ts';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import { createPolicyWatch } from '../../../server/store/policy-watch.ts';
import { systemClock } from '../../../server/clock.ts';
import { eventually } from '../../support/eventually.ts';
import type { TestServer } from '../../support/test-server.ts';
import {
  EASY,
  aPolicy,
  aTrack,
  digestOf,
  fakeBundle,
  startTestServer,
} from '../../support/test-server.ts';

let dir = '';
let server: TestServer | null = null;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'layercache-mounted-'));
});
afterEach(async () => {
  await server?.close();
  server = null;
  rmSync(dir, { recursive: true, force: true });
});

const BUNDLES = [2, 3].map((mark) => {
  const bytes = encodeHeadBundle(fakeBundle(mark));
  return { bytes, headRevision: digestOf(bytes) };
});

/** The head that a revision of these tests names. */
function bundleOf(revision: number): (typeof BUNDLES)[number] {
  return BUNDLES[revision % 2]!;
}

/** As the kubelet does: a directory of the new files, the link in one step, then the old directory goes. */
function publish(revision: number): void {
  const { bytes, headRevision } = bundleOf(revision);
  const name = `..${revision}`;
  mkdirSync(join(dir, name));
  const policy = aPolicy({ revision, stable: aTrack(headRevision) });
  writeFileSync(join(dir, name, 'policy.json'), JSON.stringify(policy));
  // The same name in every version: only the directory tells which it is.
  writeFileSync(join(dir, name, 'stable.bundle'), bytes);
  symlinkSync(name, join(dir, '..data_tmp'));
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  rmSync(join(dir, `..${revision - 1}`), { recursive: true, force: true });
}

test('10,000 swaps of the mounted directory under readers: a policy never finds the heads of another one', async () => {
  const pairs: [policy: number, bundle: number][] = [];
  let applied = 0;
  let isSwapping = true;
  const watch = createPolicyWatch({
    dir,
    clock: systemClock,
    onHigher: () => undefined,
    applier: () => ({
      acknowledgement: () =>
        ({ epoch: 0, revision: 0, result: 'Applied', reason: '' }) as Acknowledgement,
      apply: async (text) => {
        const { revision } = JSON.parse(text) as { readonly revision: number };
        // What a bundle is looked for in, after the link may have moved on.
        await new Promise(setImmediate);
        const found = Number(watch.dirs[0]!.split('..').at(-1));
        pairs.push([revision, found]);
        applied += 1;
        return { epoch: 1, revision, result: 'Applied', reason: '' } as Acknowledgement;
      },
    }),
  });
  const read = async (): Promise<void> => {
    while (isSwapping) {
      await watch.look();
      await new Promise(setImmediate);
    }
    await watch.look();
  };
  const reader = read();
  let revision = 0;
  // Readers have their turns too, however slow the disk is.
  while (revision < 10_000 || applied < 50) {
    revision += 1;
    publish(revision);
    if (revision % 20 === 0) await new Promise(setImmediate);
  }
  isSwapping = false;
  await reader;
  expect(pairs.filter(([policy, bundle]) => policy !== bundle)).toEqual([]);
  expect(pairs.at(-1)).toEqual([revision, revision]);
});

test('a server follows the link under load: every answer is of the heads that its policy names, and no request fails', async () => {
  publish(1);
  const own = await startTestServer({ environment: { LAYERCACHE_POLICY_DIR: dir } });
  server = own;
  let isOver = false;
  let answered = 0;
  const seen = new Set<number>();
  const callers = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      const { parameters, outputs } = await own.ask([EASY]);
      const revision = Number(String(parameters.layercache_policy).split('.')[1]);
      expect(parameters.layercache_head_revision).toBe(bundleOf(revision).headRevision);
      expect(outputs[0]?.data).toEqual([2 + (revision % 2), 0, 0]);
      seen.add(revision);
      answered += 1;
    }
  });
  for (let revision = 2; revision <= 40; revision += 1) {
    const before = answered;
    publish(revision);
    await eventually(() => {
      expect(answered).toBeGreaterThan(before);
    });
  }
  await eventually(async () => {
    expect((await own.state()).acknowledgement).toMatchObject({ revision: 40, result: 'Applied' });
  });
  isOver = true;
  await Promise.all(callers);
  expect(seen.size).toBeGreaterThan(2);
});
