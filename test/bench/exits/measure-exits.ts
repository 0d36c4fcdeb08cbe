import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock } from '../../../operator/clock.ts';
import { overBudgetBound } from '../../support/certificate-simulation.ts';
import { EXAMPLE_CASE } from '../example.ts';
import { atLeast, atMost, seen, type Figure } from '../figure.ts';
import { describeEnvironment } from '../server/environment.ts';
import { CACHE_DIR, createCache } from './cache.ts';
import { cifar100Cases } from './cifar-100/cases.ts';
import { exitsChart } from './chart.ts';
import { measureCase, type Extent } from './measure-case.ts';
import { EXITS_PAGES, withExits } from './pages.ts';
import { RESULTS_FILE } from './results-file.ts';
import type { CaseResults, ExitsResults } from './results.ts';
import { RULE_NAMES } from './rules/rule-names.ts';
import type { ExitsCase } from './stream.ts';
import { CHART_FILE, exitsText, percent } from './table.ts';

const FULL: Extent = { levels: [0.005, 0.01, 0.02, 0.05], splits: 20, attempts: 1_000 };
/** To see that it runs; its figures say nothing. */
const QUICK: Extent = { levels: [0.02], splits: 3, attempts: 20 };
const QUICK_ROWS = 4_000;
const CONFIDENCE = 0.95;

/** A case with what its heads have to save when certified for 1 %; null: nothing is promised. */
interface PromisedCase extends ExitsCase {
  readonly leastSaved: number | null;
}

export interface ExitsOptions {
  /** Results, table and figure into the repository. */
  readonly write: boolean;
  /** Few rows, few splits. */
  readonly quick: boolean;
  /** Folder with `resnet20/` and `cifar10/`; undefined: the bundled example alone. */
  readonly resnet20: string | undefined;
  /** Folder that `cifar-100/train.py` wrote; undefined: without its networks. */
  readonly cifar100: string | undefined;
}

const unpromised = (one: ExitsCase): PromisedCase => ({ ...one, leastSaved: null });
const EXAMPLE: PromisedCase = { ...EXAMPLE_CASE, leastSaved: 0.6 };

/** The backbone was trained on the train rows: they fit heads and nothing else. */
function resnet20Case(data: string): PromisedCase {
  return {
    name: 'ResNet-20, CIFAR-10',
    modelPath: resolve(data, 'resnet20/cifar10_resnet20.onnx'),
    traffic: `npy:${data}/cifar10/test_a_images.npy`,
    headTraffic: `npy:${data}/cifar10/train_a_images.npy`,
    labels: `${data}/cifar10/test_a_labels.npy`,
    ...{ rows: null, leastSaved: 0.25 },
  };
}

/** Rules of early exits side by side, at equal disagreement and as each would be set. */
export async function measureExits(options: ExitsOptions): Promise<Figure[]> {
  const { write, quick, resnet20, cifar100 } = options;
  const all: readonly PromisedCase[] = [
    EXAMPLE,
    ...(resnet20 === undefined ? [] : [resnet20Case(resnet20)]),
    ...(cifar100 === undefined ? [] : cifar100Cases(cifar100).map(unpromised)),
  ];
  const extent = quick ? QUICK : FULL;
  const cache = createCache(CACHE_DIR);
  const cases: CaseResults[] = [];
  for (const one of all)
    cases.push(await measureCase(quick ? { ...one, rows: QUICK_ROWS } : one, extent, cache));
  const { cpu, cores, versions } = describeEnvironment();
  const results: ExitsResults = {
    date: new Date(systemClock.nowMs()).toISOString().slice(0, 10),
    ...{ cpu, cores, splits: extent.splits },
    node: versions.node ?? '',
    onnxruntime: versions['onnxruntime-node'] ?? '',
    cases,
  };
  process.stdout.write(`\n${exitsText(results)}\n\n`);
  if (write) writeResults(results);
  const figures = cases.flatMap((one, i) => figuresOf(one, all[i]?.leastSaved ?? null));
  // Few rows keep no promise and break none.
  return quick ? figures.map((figure) => seen(figure, figure.value)) : figures;
}

/** A rule may be ahead of ours by half a point: less than splits differ by. */
const LEAD = 0.005;
const PROMISED_BUDGET = 0.01;

function figuresOf({ name, levels }: CaseResults, leastSaved: number | null): Figure[] {
  const section = `exits, ${name}`;
  return levels.flatMap(({ budget, rules, replay }) => {
    const at = percent(budget);
    const ours = rules.find((rule) => rule.name === RULE_NAMES.ours)?.equal?.mean ?? 0;
    const others = rules
      .filter((rule) => rule.name !== RULE_NAMES.ours)
      .map(({ equal }) => equal?.mean ?? 0);
    const { attempts, overBudget } = replay;
    const certified = { section, name: `certified for ${at}: saved` };
    return [
      seen({ section, name: `saved at ${at} disagreement` }, ours),
      atLeast(
        { section, name: `ahead of the best other rule at ${at}` },
        ours - Math.max(...others),
        -LEAD,
      ),
      budget === PROMISED_BUDGET && leastSaved !== null
        ? atLeast(certified, replay.saved, leastSaved)
        : seen(certified, replay.saved),
      atMost(
        { section, name: `${attempts} attempts for ${at}: certified and over budget` },
        overBudget / attempts,
        Number(overBudgetBound(1 - CONFIDENCE, attempts).toPrecision(3)),
      ),
    ];
  });
}

function writeResults(results: ExitsResults): void {
  writeFileSync(RESULTS_FILE, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(CHART_FILE, exitsChart(results));
  for (const { file, text } of EXITS_PAGES)
    writeFileSync(file, withExits(readFileSync(file, 'utf8'), text(results)));
  process.stdout.write(`written: ${RESULTS_FILE}, ${CHART_FILE} and pages\n`);
}
