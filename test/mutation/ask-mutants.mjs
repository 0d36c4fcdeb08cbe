// Asks tests about mutants, all in this process: for each the script is run anew, so constants of modules change too and nothing is kept.
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import vm from 'node:vm';
import { bundleMutants } from './instrument.mjs';
import { createStandIn, outcomeOf } from './stand-in.mjs';

/** A mutant that runs that much oftener than its place did before does not end. */
const ENDLESS = 100;
const require = createRequire(import.meta.url);

/** @returns mutants as Stryker's instrumenter names them, each with `isKilled`; those that `isWanted` does not name are not asked */
export async function askMutants({ mutate, tests }, isWanted = () => true) {
  const { text, mutants } = await bundleMutants(mutate, tests);
  const script = new vm.Script(`(function (require, standIn, module, exports) {${text}\n})`, {
    filename: 'mutants.cjs',
  });
  const coverage = await measureCoverage(script);
  const asked = [];
  for (const mutant of mutants.filter(isWanted)) {
    asked.push({ ...mutant, isKilled: await isKilled(script, mutant.id, coverage) });
  }
  return asked;
}

/** A fresh copy of tests and sources, with what the instrumented code reads. */
function load(script, state) {
  globalThis.__stryker__ = state;
  const standIn = createStandIn();
  const module = { exports: {} };
  script.runInThisContext()(require, standIn, module, module.exports);
  return standIn.tests;
}

/** Which tests reach a mutant, the fastest first, and how often; `atLoad` are those that run before any test. */
async function measureCoverage(script) {
  const state = {};
  const tests = load(script, state);
  const millis = new Map();
  for (const [index, test] of tests.entries()) {
    state.currentTestId = String(index);
    const before = performance.now();
    const error = await outcomeOf(test);
    if (error !== null) throw new Error(`${test.id} fails without a mutant`, { cause: error });
    millis.set(index, performance.now() - before);
  }
  const { static: atLoad = {}, perTest = {} } = state.mutantCoverage ?? {};
  const order = [...tests.keys()].sort((a, b) => millis.get(a) - millis.get(b));
  return { atLoad, perTest, order };
}

async function isKilled(script, id, { atLoad, perTest, order }) {
  const reached = id in atLoad ? order : order.filter((index) => id in (perTest[index] ?? {}));
  const hitsAtLoad = atLoad[id] ?? 0;
  const state = { activeMutant: id, hitCount: 0, hitLimit: ENDLESS * hitsAtLoad };
  let tests;
  try {
    tests = load(script, state);
  } catch {
    return true;
  }
  for (const index of reached) {
    state.hitCount = 0;
    state.hitLimit = ENDLESS * (hitsAtLoad + (perTest[index]?.[id] ?? 0));
    if ((await outcomeOf(tests[index])) !== null) return true;
  }
  return false;
}
