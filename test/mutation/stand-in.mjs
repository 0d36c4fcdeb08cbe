// Stands in for vitest, so that a test file can be asked many times in one process: collects tests, and brings vitest's own `expect`.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import vm from 'node:vm';
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';

[JestExtend, JestChaiExpect, JestAsymmetricMatchers].forEach((plugin) => chai.use(plugin));
const expect = Object.assign((...args) => chai.expect(...args), chai.expect, {
  ...globalThis[ASYMMETRIC_MATCHERS_OBJECT],
  getState: () => getState(expect),
  setState: (state) => setState(state, expect),
});
globalThis[GLOBAL_EXPECT] = expect;

/** What `import 'vitest'` gives. Tests go to `tests` as { id, run }, `fileNow` says whose they are. */
export function createStandIn() {
  const tests = [];
  let file = '';
  let path = [];

  const test = (name, ...rest) => {
    const run = rest.find((one) => typeof one === 'function');
    const id = [file, ...path, name].join(' > ');
    const own = file;
    tests.push({ id: `${tests.length}: ${id}`, file: own, run });
  };
  test.each = (rows) => each(rows, test);
  const describe = (name, body) => {
    path = [...path, name];
    body();
    path = path.slice(0, -1);
  };
  describe.each = (rows) => each(rows, describe);
  const fileNow = (name) => {
    file = name;
  };
  return { tests, fileNow, vitest: { test, it: test, describe, expect } };
}

function each(rows, declare) {
  return (name, body) =>
    rows.forEach((row) => {
      const args = Array.isArray(row) ? row : [row];
      declare(name, () => body(...args));
    });
}

const RUN = 'layercache mutation run';
const LONGEST_MS = 600_000;

let snapshotsOf = '';

/**
 * Runs a test to its end. @returns what it threw, null when it passed
 * @param limitMs code that gives nothing back for so long is ended: not every mutant that loops for ever counts its own rounds
 */
export async function outcomeOf({ run, file }, limitMs = LONGEST_MS) {
  snapshotsOf = dirname(file);
  globalThis[RUN] = run;
  try {
    await vm.runInThisContext(`globalThis[${JSON.stringify(RUN)}]()`, { timeout: limitMs });
    return null;
  } catch (error) {
    return error;
  }
}

/** Golden files are only read here: a test of a mutant must not write any. */
expect.extend(expect, {
  toMatchFileSnapshot: (received, path) => ({
    pass: received === readFileSync(join(snapshotsOf, path), 'utf8'),
    message: () => `differs from ${path}`,
  }),
});
