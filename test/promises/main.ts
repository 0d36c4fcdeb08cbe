// `npm run promises`: what is promised, what its tests measured last, and whether that keeps it. Short tests leave their figures
// in dist/promises; of long ones the last figures are committed in recorded.json, and `--keep` takes newer ones into it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { systemClock } from '../../operator/clock.ts';
import {
  judgePromise,
  type Measured,
  type MutationResult,
  type Promised,
} from './judge-promise.ts';

interface Recorded {
  readonly date: string;
  readonly figures: Readonly<Record<string, number>>;
}

const RECORDED = 'test/promises/recorded.json';

function read(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function fresh(name: string): Recorded['figures'] | null {
  const path = `dist/promises/${name}.json`;
  return existsSync(path) ? (read(path) as Recorded['figures']) : null;
}

const promises = read('test/promises/promises.json') as readonly Promised[];
const recorded = read(RECORDED) as Record<string, Recorded>;
const long = new Set(
  promises.filter((one) => one.long === true).flatMap(({ records = {} }) => Object.keys(records)),
);
if (process.argv.includes('--keep')) {
  const date = new Date(systemClock.nowMs()).toISOString().slice(0, 10);
  for (const name of long) {
    const figures = fresh(name);
    if (figures !== null) recorded[name] = { date, figures };
  }
  writeFileSync(RECORDED, `${JSON.stringify(recorded, null, 2)}\n`);
}

const mutation = read('test/mutation/results.json') as Readonly<Record<string, MutationResult>>;
const measured: Measured = {
  record: (name) => {
    const figures = fresh(name);
    if (figures !== null) return { figures, when: 'the last run here' };
    const last = long.has(name) ? recorded[name] : undefined;
    return last === undefined ? null : { figures: last.figures, when: `long run, ${last.date}` };
  },
  mutation: (target) => mutation[target] ?? null,
};

const judged = promises.map((promised) => judgePromise(promised, measured));
const lines = judged.flatMap(({ verdict, promise, said }) => [
  `${verdict.padEnd(9)} ${promise}`,
  ...said.map((line) => `          ${line}`),
]);
const count = (wanted: string): number => judged.filter(({ verdict }) => verdict === wanted).length;
const sum = `${count('kept')} kept, ${count('BROKEN')} broken, ${count('NO RECORD')} without a record`;
process.stdout.write(`${[...lines, sum].join('\n')}\n`);
process.exitCode = count('kept') === judged.length ? 0 : 1;
