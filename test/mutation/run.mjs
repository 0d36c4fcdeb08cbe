// Changes the code in small ways and asks whether a test notices: `npm run mutation`, or with names of targets.mjs.
// Results of a target take the place of its last ones in results.json; MUTATION.md is written from them.
import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { EXPLAINED } from './explained.mjs';
import { renderResults } from './render-results.mjs';
import { TARGETS } from './targets.mjs';

const RESULTS = new URL('results.json', import.meta.url);
const PAGE = new URL('../MUTATION.md', import.meta.url);
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
  const result = await measure(TARGETS[name]);
  // Other runs may have written meanwhile.
  const results = { ...JSON.parse(readFileSync(RESULTS, 'utf8')), [name]: result };
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(PAGE, renderResults(results, TARGETS));
  const open = result.survivors.filter(({ why }) => why === null);
  const { least } = TARGETS[name];
  const isEnough = least === 1 ? open.length === 0 : result.killed >= least * result.mutants;
  isWeak ||= !isEnough;
  console.log(
    `${name}: ${result.killed} of ${result.mutants} killed, ${open.length} survivors without a reason${isEnough ? '' : ': TOO FEW'}`,
  );
  for (const { file, line, text, to } of open) console.log(`  ${file}:${line}: ${text} -> ${to}`);
}
process.exitCode = isWeak ? 1 : 0;

async function measure({ mutate, tests }) {
  const stryker = new Stryker({
    mutate,
    testFiles: tests,
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    concurrency: 1,
    timeoutMS: 20_000,
    timeoutFactor: 3,
    reporters: [],
    tempDirName: 'dist/mutation',
    // Its rewriting of tsconfig.json leaves references to what it did not copy.
    tsconfigFile: 'absent.json',
    ignorePatterns: ['dist', 'layercache-report', 'coverage'],
    allowConsoleColors: false,
    logLevel: 'warn',
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

function survivor({ fileName, location, replacement }) {
  const file = relative(process.cwd(), fileName);
  const text = readFileSync(fileName, 'utf8').split('\n')[location.start.line - 1].trim();
  const to = replacement.replaceAll(/\s+/g, ' ');
  const known = EXPLAINED.find(
    (one) => one.file === file && one.line === text && (one.to === undefined || one.to === to),
  );
  return { file, line: location.start.line, text, to, why: known?.why ?? null };
}
