import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What a seed does not decide. */
const REAL =
  /from 'node:(?:fs|net|http|https|tls|dgram|child_process|worker_threads|timers)|\b(?:setTimeout|setInterval|fetch)\(|Math\.random|\bsystem(?:Kube)?Clock\b/;
const FOLDERS = ['test/faults/sim', 'test/faults/loop'];
const PARTS = ['simulated-api', 'simulated-api-store', 'simulated-api-faults', 'fake-pod'];

test('a simulated run has no real file, socket, timer or chance', () => {
  const files = [
    ...FOLDERS.flatMap((folder) => readdirSync(folder).map((file) => `${folder}/${file}`)),
    ...PARTS.map((name) => `test/support/${name}.ts`),
  ].filter((file) => !file.endsWith('simulated-alone.test.ts'));
  const isReal = (file: string): boolean => REAL.test(readFileSync(file, 'utf8'));
  expect(files.filter(isReal)).toEqual([]);
  expect(isReal('test/support/eventually.ts')).toBe(true);
});
