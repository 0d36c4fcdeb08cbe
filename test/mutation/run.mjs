// Changes the code in small ways and asks whether a test notices: `npm run mutation`, or with names of targets.mjs.
// Results of a target take the place of its last ones in results.json; MUTATION.md is written from them. With `--survivors` only those of the
// last run are asked again, by tests that have been added since: what was killed stays killed.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { askMutants } from './ask-mutants.mjs';
import { EXPLAINED } from './explained.mjs';
import { filesOf } from './instrument.mjs';
import { renderResults } from './render-results.mjs';
import { TARGETS } from './targets.mjs';

const RESULTS = join(import.meta.dirname, 'results.json');
const PAGE = join(import.meta.dirname, '../MUTATION.md');

const ONLY_SURVIVORS = '--survivors';
const wanted = process.argv.slice(2).filter((name) => name !== ONLY_SURVIVORS);
const isAgain = process.argv.includes(ONLY_SURVIVORS);
const unknown = wanted.filter((name) => !(name in TARGETS));
if (unknown.length > 0) {
  console.error(
    `There is no target ${unknown.join(', ')}. Name some of: ${Object.keys(TARGETS).join(', ')}.`,
  );
  process.exit(2);
}

let isWeak = false;
for (const name of wanted.length > 0 ? wanted : Object.keys(TARGETS)) {
  const result = await (isAgain ? measureAgain(name) : measure(TARGETS[name])).catch((error) => {
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
  const sources = sourcesOf(TARGETS[name]);
  const results = {
    ...JSON.parse(readFileSync(RESULTS, 'utf8')),
    [name]: { isEnough, sources, ...result },
  };
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(PAGE, renderResults(results, TARGETS));
  console.log(
    `${name}: ${result.killed} of ${result.mutants} killed, ${open.length} survivors without a reason${isEnough ? '' : ': TOO FEW'}`,
  );
  for (const { file, at, from, to } of open) console.log(`  ${file}:${at}: ${from} -> ${to}`);
}
process.exitCode = isWeak ? 1 : 0;

async function measure(target, isWanted) {
  const asked = await askMutants(target, isWanted);
  return {
    date: new Date().toISOString().slice(0, 10),
    mutants: asked.length,
    killed: asked.filter(({ isKilled }) => isKilled).length,
    survivors: asked.filter(({ isKilled }) => !isKilled).map(describeMutant),
  };
}

/** The last result of a target, with the survivors that still are. A target whose files changed since is asked as a whole. */
async function measureAgain(name) {
  const last = JSON.parse(readFileSync(RESULTS, 'utf8'))[name];
  if (last === undefined || last.sources !== sourcesOf(TARGETS[name]))
    return measure(TARGETS[name]);
  const known = new Set(last.survivors.map(keyOf));
  const again = await measure(TARGETS[name], (mutant) => known.has(keyOf(describeMutant(mutant))));
  return { ...again, mutants: last.mutants, killed: last.mutants - again.survivors.length };
}

function keyOf({ file, at, column, from, to }) {
  return JSON.stringify([file, at, column, from, to]);
}

/** Digest of what a target mutates. */
function sourcesOf({ mutate }) {
  const hash = createHash('sha256');
  for (const path of filesOf(mutate)) hash.update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}

/** `from` is what the mutant replaced, `line` the line that it begins in. */
function describeMutant({ fileName, location: { start, end }, replacement }) {
  const lines = readFileSync(fileName, 'utf8').split('\n');
  const replaced = lines.slice(start.line, end.line + 1);
  replaced[replaced.length - 1] = replaced.at(-1).slice(0, end.column);
  replaced[0] = replaced[0].slice(start.column);
  const flat = (text) => text.replaceAll(/\s+/g, ' ').trim();
  const mutant = {
    file: relative(process.cwd(), fileName),
    at: start.line + 1,
    column: start.column + 1,
    line: lines[start.line].trim(),
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
