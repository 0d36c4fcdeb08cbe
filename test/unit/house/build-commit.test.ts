import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** Without git: no program is found beside Node. */
const NO_GIT = { PATH: '/nowhere' };

function run(arguments_: readonly string[], env: Readonly<Record<string, string>>) {
  return spawnSync(process.execPath, arguments_, { encoding: 'utf8', env });
}

const PRINT = "import('./operator/bundle/commit.mjs').then(({ commit }) => console.log(commit))";

test('programs are built from what SOURCE_COMMIT says, else from what git says, else from nobody knows what', () => {
  const commitWith = (env: Readonly<Record<string, string>>): string =>
    run(['-e', PRINT], env).stdout.trim();
  expect(commitWith({ ...NO_GIT, SOURCE_COMMIT: '0123abcd' })).toBe('0123abcd');
  expect(commitWith({ PATH: process.env.PATH ?? '' })).toMatch(/^([0-9a-f]{12}(-dirty)?|unknown)$/);
  expect(commitWith(NO_GIT)).toBe('unknown');
});

test('an image is not laid out when nobody can tell what from', () => {
  const words = ['operator/bundle/image-files.mjs', '--platform', 'linux-x64'];
  const { status, stderr } = run(words, NO_GIT);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^Nobody can tell what these images are built from: set SOURCE_COMMIT/);
});
