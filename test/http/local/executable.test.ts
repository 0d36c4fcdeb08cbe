import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { VERSION } from '../../../operator/version.ts';

// As npx and an installed package start it: by its first line, not by the node of this test.
test('the command line runs as a program of its own', async () => {
  const { stdout } = await promisify(execFile)('dist/bundle/layercache.mjs', ['version']);
  expect(stdout.trim()).toBe(VERSION);
});
