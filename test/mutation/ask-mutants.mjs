// Asks tests about mutants, all in this process: where a mutant changes what is computed once, the script is run anew.
import { createRequire } from 'node:module';
import vm from 'node:vm';
import { bundleMutants } from './instrument.mjs';
import { createStandIn, outcomeOf } from './stand-in.mjs';

/** A mutant that runs that much oftener than its place did before does not end. */
const ENDLESS = 100;
/** Nor does a test that takes so many times its time, and some seconds. */
const TOO_SLOW = 20;
const GRACE_MS = 5_000;
/** Of a processor: a test that needs more is not asked, since a survivor would cost that twice. What only it notices, survives. */
const QUICK_MS = 1_000;
const require = createRequire(import.meta.url);
// That a property fails is enough; the smallest case that fails would be searched for minutes.
require('fast-check').configureGlobal({ endOnFailure: true });

/** @returns mutants as Stryker's instrumenter names them, each with `isKilled`; those that `isWanted` does not name are not asked */
export async function askMutants({ mutate, tests }, isWanted = () => true) {
  const { text, mutants } = await bundleMutants(mutate, tests);
  const script = new vm.Script(`(function (require, standIn, module, exports) {${text}\n})`, {
    filename: 'mutants.cjs',
  });
  const isKilled = createJudge(script, await measureCoverage(script));
  const asked = [];
  for (const mutant of mutants.filter(isWanted)) {
    asked.push({ ...mutant, isKilled: await isKilled(mutant.id) });
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

/** Which quick tests reach a mutant, the fastest first, and how often; `atLoad` are those that run before any test. */
async function measureCoverage(script) {
  const state = {};
  const tests = load(script, state);
  const millis = new Map();
  for (const [index, test] of tests.entries()) {
    state.currentTestId = String(index);
    const before = process.cpuUsage();
    const error = await outcomeOf(test);
    if (error !== null) throw new Error(`${test.id} fails without a mutant`, { cause: error });
    const { user, system } = process.cpuUsage(before);
    millis.set(index, (user + system) / 1000);
  }
  const { static: atLoad = {}, perTest = {} } = state.mutantCoverage ?? {};
  const order = [...tests.keys()]
    .filter((index) => millis.get(index) <= QUICK_MS)
    .sort((a, b) => millis.get(a) - millis.get(b));
  return { atLoad, perTest, order, millis };
}

/**
 * Mutants that no test sees while files are loaded are asked in one copy that stays. What it says is asked again: a test that fails must
 * pass without the mutant, or an earlier one has left something behind, and who survives must do so in a copy of its own too.
 */
function createJudge(script, coverage) {
  let kept = null;
  return async (id) => {
    if (id in coverage.atLoad) return isKilledAlone(script, id, coverage);
    kept ??= loadCopy(script);
    const failing = await findFailing(kept, id, coverage);
    if (failing === null) return isKilledAlone(script, id, coverage);
    kept.state.activeMutant = undefined;
    if ((await outcomeOf(failing)) === null) return true;
    kept = null;
    return isKilledAlone(script, id, coverage);
  };
}

async function isKilledAlone(script, id, coverage) {
  let copy;
  try {
    const hitLimit = ENDLESS * (coverage.atLoad[id] ?? 0);
    copy = loadCopy(script, { activeMutant: id, hitCount: 0, hitLimit });
  } catch {
    return true;
  }
  return (await findFailing(copy, id, coverage)) !== null;
}

function loadCopy(script, state = {}) {
  return { state, tests: load(script, state) };
}

/** The first test that notices a mutant; null: none does. */
async function findFailing({ state, tests }, id, { atLoad, perTest, order, millis }) {
  const reached = id in atLoad ? order : order.filter((index) => id in (perTest[index] ?? {}));
  globalThis.__stryker__ = state;
  state.activeMutant = id;
  for (const index of reached) {
    state.hitCount = 0;
    state.hitLimit = ENDLESS * ((atLoad[id] ?? 0) + (perTest[index]?.[id] ?? 0));
    const limitMs = Math.ceil(GRACE_MS + TOO_SLOW * millis.get(index));
    if ((await outcomeOf(tests[index], limitMs)) !== null) return tests[index];
  }
  return null;
}
