// Who runs a model, for its processor time: an engine of ours in this process, or a script in Python.
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createBusyClock } from '../../../server/engine/busy-clock.ts';
import type { ModelSource, SegmentEngine } from '../../../server/engine/segment-engine.ts';
import { quantile } from '../median.ts';

/** Processor milliseconds of each run. */
export type Runner = (rows: number, runs: number) => Promise<readonly number[]>;

/** What every run is given. */
const VALUE = 0.3;
const ROUNDS = 5;

export async function engineRunner(
  engine: SegmentEngine,
  source: ModelSource,
  rowShape: readonly number[],
): Promise<Runner> {
  await engine.open(source);
  const plan = await engine.plan([]);
  const busyMs = createBusyClock();
  const rowSize = rowShape.reduce((product, extent) => product * extent, 1);
  return async (rows, runs) => {
    const input = new Float32Array(rows * rowSize).fill(VALUE);
    const ms: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const start = busyMs();
      await engine.output(plan, engine.upload(input, rows));
      ms.push(busyMs() - start);
    }
    return ms;
  };
}

/** @param script beside this file; it reads `ROWS RUNS` and answers each line with its milliseconds as JSON. */
export function pythonRunner(
  python: string,
  script: string,
  args: readonly string[],
): { readonly run: Runner; readonly stop: () => void } {
  // From the bundle in dist/bundle as from here.
  const path = fileURLToPath(new URL(`../../test/bench/engines/${script}`, import.meta.url));
  const child = spawn(python, [path, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout });
  return {
    run: async (rows, runs) => {
      child.stdin.write(`${rows} ${runs}\n`);
      return JSON.parse(await nextLine(lines, child, path)) as number[];
    },
    stop: () => {
      child.kill();
    },
  };
}

function nextLine(lines: Interface, child: ChildProcess, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const ended = (): void => {
      reject(new Error(`a session in Python ended; run ${path} by hand`));
    };
    child.once('exit', ended);
    lines.once('line', (line) => {
      child.off('exit', ended);
      resolve(line);
    });
  });
}

/**
 * Processor milliseconds per row of everybody, in turns, so that a busy machine meets all of them.
 * @param runs per round and row, of each; at least three batches are run
 */
export async function measureInTurns<Name extends string>(
  runners: Readonly<Record<Name, Runner>>,
  rows: number,
  runs: Readonly<Record<Name, number>>,
): Promise<Readonly<Record<Name, number>>> {
  const names = Object.keys(runners) as Name[];
  const taken = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of names) {
      const ms = await runners[name](rows, Math.max(3, Math.ceil(runs[name] / rows)));
      // The first of a turn finds the caches full of others.
      taken.get(name)?.push(...ms.slice(1));
    }
  }
  const perRow = names.map((name) => [name, quantile(taken.get(name) ?? [], 0.25) / rows] as const);
  return Object.fromEntries(perRow) as Record<Name, number>;
}
