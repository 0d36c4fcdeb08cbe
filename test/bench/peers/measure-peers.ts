import { readFileSync, writeFileSync } from 'node:fs';
import { systemClock } from '../../../operator/clock.ts';
import type { Figure } from '../figure.ts';
import { randomResNet, RESNET_18 } from '../models.ts';
import { describeEnvironment } from '../server/environment.ts';
import { ROW_SHAPE } from '../server/layercache-target.ts';
import { trivialModel } from '../server/trivial-model.ts';
import { comparisonChart } from './chart.ts';
import { contenderOf, layercache, type Contender } from './contender.ts';
import { measureCase, type BenchCase } from './measure-case.ts';
import { PEERS } from './peers.ts';
import { casePromises, generatorFigures, serverCostPromises } from './promises.ts';
import { withComparison } from './readme-block.ts';
import type { Machine, PeerPlan, PeerResults } from './results.ts';
import { CHART_FILE, comparisonText } from './table.ts';

/** With ten kinds of request on two models this takes about ten minutes. */
const FULL: PeerPlan = { rounds: 2, seconds: 2, openSeconds: 3, warmSeconds: 3 };
/** To see that it runs; its figures say nothing. */
const QUICK: PeerPlan = { rounds: 1, seconds: 0.5, openSeconds: 1, warmSeconds: 0.5 };
const TRIVIAL_ROW = [16, 1, 1];

/** From the root of the repository, where `npm run` starts. */
export const RESULTS_FILE = 'test/bench/peers/results.json';
export const README_FILE = 'README.md';

export interface PeerOptions {
  /** A second or so at each load. */
  readonly quick: boolean;
  /** Results, table and figure into the repository. */
  readonly write: boolean;
  /** Parts of names of servers beside ours; null: all. */
  readonly only: readonly string[] | null;
}

/** The same ONNX file on the same cores through ours and every other server. One that cannot be had here is left out, aloud. */
export async function measurePeers(options: PeerOptions): Promise<Figure[]> {
  const machine = describeMachine();
  const contenders = contendersOf(options.only);
  const unavailable = new Map<string, string>();
  for (const { name, prepare } of contenders) {
    const why = prepare();
    if (why !== null) unavailable.set(name, why);
  }
  const plan = options.quick ? QUICK : FULL;
  const cases = [];
  for (const one of benchCases())
    cases.push(await measureCase(one, { contenders, unavailable }, plan));
  const date = new Date(systemClock.nowMs()).toISOString().slice(0, 10);
  const results: PeerResults = { date, machine, plan, cases };
  process.stdout.write(`\n${comparisonText(results)}\n\n`);
  if (options.write) writeResults(results);
  return cases.flatMap((one, index) => [
    ...casePromises(one),
    ...(index === 0 ? serverCostPromises(one) : []),
    ...generatorFigures(one),
  ]);
}

function benchCases(): readonly BenchCase[] {
  return [
    {
      name: 'A model that costs nothing: the server is all there is',
      bytes: trivialModel(TRIVIAL_ROW, 1),
      rowShape: TRIVIAL_ROW,
    },
    { name: 'ResNet-18', bytes: randomResNet(RESNET_18, 1), rowShape: ROW_SHAPE },
  ];
}

function contendersOf(only: readonly string[] | null): Contender[] {
  const isChosen = ({ name }: { readonly name: string }): boolean =>
    only === null || only.some((part) => name.toLowerCase().includes(part.toLowerCase()));
  return [layercache(), ...PEERS.filter(isChosen).map(contenderOf)];
}

function describeMachine(): Machine {
  const { cpu, cores, memoryGib, kernel, versions, loadBefore } = describeEnvironment();
  return {
    ...{ cpu, cores, memoryGib, kernel, loadBefore },
    node: versions.node ?? '',
    onnxruntime: versions['onnxruntime-node'] ?? '',
  };
}

function writeResults(results: PeerResults): void {
  writeFileSync(RESULTS_FILE, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(CHART_FILE, comparisonChart(results));
  const readme = readFileSync(README_FILE, 'utf8');
  writeFileSync(README_FILE, withComparison(readme, comparisonText(results)));
  process.stdout.write(`written: ${RESULTS_FILE}, ${CHART_FILE}, ${README_FILE}\n`);
}
