// Changes the code in small ways and asks whether a test notices: `npm run mutation`, or with names of targets.mjs.
// Results of a target take the place of its last ones in results.json; MUTATION.md is written from them.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { EXPLAINED } from './explained.mjs';
import { renderResults } from './render-results.mjs';
import { TARGETS } from './targets.mjs';

const RESULTS = join(import.meta.dirname, 'results.json');
const PAGE = join(import.meta.dirname, '../MUTATION.md');
const KILLED = ['Killed', 'Timeout'];
const SURVIVED = ['Survived', 'NoCoverage'];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in TARGETS));
if (unknown.length > 0) {
  console.error(
    `There is no target ${unknown.join(', ')}. Name some of: ${Object.keys(TARGETS).join(', ')}.`,
  );
  process.exit(2);
}

let isWeak = false;
for (const name of wanted.length > 0 ? wanted : Object.keys(TARGETS)) {
  const result = await measure(TARGETS[name]).catch((error) => {
    console.log(`${name}: no result: ${error.message}`);
    return null;
  });
  isWeak ||= result === null;
  if (result === null) continue;
  const { least } = TARGETS[name];
  const open = result.survivors.filter(({ why }) => why === null);
  const isEnough = least === 1 ? open.length === 0 : result.killed >= least * result.mutants;
  isWeak ||= !isEnough;
  // Other runs may have written meanwhile.
  const results = { ...JSON.parse(readFileSync(RESULTS, 'utf8')), [name]: { isEnough, ...result } };
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(PAGE, renderResults(results, TARGETS));
  console.log(
    `${name}: ${result.killed} of ${result.mutants} killed, ${open.length} survivors without a reason${isEnough ? '' : ': TOO FEW'}`,
  );
  for (const { file, at, from, to } of open) console.log(`  ${file}:${at}: ${from} -> ${to}`);
}
process.exitCode = isWeak ? 1 : 0;

async function measure({ mutate, tests }) {
  process.env.LAYERCACHE_MUTATION_TESTS = tests.join(' ');
  const stryker = new Stryker({
    mutate,
    testFiles: tests,
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    // Under vitest 4.1 the runner does not switch on mutants of code that runs at import: they would all survive.
    ignoreStatic: true,
    concurrency: 1,
    timeoutMS: 20_000,
    timeoutFactor: 3,
    reporters: [],
    tempDirName: 'dist/mutation',
    // Its rewriting of tsconfig.json leaves references to what it did not copy.
    tsconfigFile: 'absent.json',
    ignorePatterns: ['dist', 'layercache-report', 'coverage'],
    allowConsoleColors: false,
    logLevel: 'error',
  });
  const mutants = (await stryker.runMutationTest()).filter(({ status }) =>
    [...KILLED, ...SURVIVED].includes(status),
  );
  return {
    date: new Date().toISOString().slice(0, 10),
    mutants: mutants.length,
    killed: mutants.filter(({ status }) => KILLED.includes(status)).length,
    survivors: mutants.filter(({ status }) => SURVIVED.includes(status)).map(survivor),
  };
}

/** `from` is what the mutant replaced, `line` the line that it begins in. */
function survivor({ fileName, location: { start, end }, replacement }) {
  const file = relative(process.cwd(), fileName);
  const lines = readFileSync(fileName, 'utf8').split('\n');
  const replaced = lines.slice(start.line - 1, end.line);
  replaced[replaced.length - 1] = replaced.at(-1).slice(0, end.column - 1);
  replaced[0] = replaced[0].slice(start.column - 1);
  const flat = (text) => text.replaceAll(/\s+/g, ' ').trim();
  const mutant = {
    file,
    at: start.line,
    line: lines[start.line - 1].trim(),
    from: flat(replaced.join('\n')),
    to: flat(replacement),
  };
  return { ...mutant, why: explanationOf(mutant) };
}

/** An explanation names file and line, and may narrow it to what is replaced, and by what. */
function explanationOf(mutant) {
  const keys = ['file', 'line', 'from', 'to'];
  const known = EXPLAINED.find((one) =>
    keys.every((key) => one[key] === undefined || one[key] === mutant[key]),
  );
  return known?.why ?? null;
}
