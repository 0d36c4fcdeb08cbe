import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock } from '../../../operator/clock.ts';
import { createOnnxEngine } from '../../../server/engine/onnx/onnx-engine.ts';
import { atLeast, atMost, seen, type Figure } from '../figure.ts';
import { describeEnvironment } from '../server/environment.ts';
import { exitsChart } from './chart.ts';
import { compareRules, randomSplits } from './compare.ts';
import { answersOf, levelRules, type TimedRule } from './level-rules.ts';
import { measurePaths, type PathTimes } from './path-times.ts';
import { recordCase, type RecordedCase } from './record-features.ts';
import { allowedShare, replayAttempts } from './replay.ts';
import type { CaseResults, ExitsResults, LevelResults } from './results.ts';
import { RULE_NAMES } from './rules/rule-names.ts';
import { scoreRows } from './score-rows.ts';
import { inputBatches, openRows, type ExitsCase } from './stream.ts';
import { RESULTS_FILE } from './results-file.ts';
import { CHART_FILE, exitsText, percent } from './table.ts';
import { EXITS_PAGES, withExits } from './pages.ts';
import { trainCase } from './train-heads.ts';

const LEVELS = [0.005, 0.01, 0.02, 0.05] as const;
/** Rows and repetitions of a run. */
interface Extent {
  readonly splits: number;
  readonly attempts: number;
  /** Rows of the traffic, and those that train; null: all. */
  readonly rows: number | null;
}

const FULL: Extent = { splits: 20, attempts: 1_000, rows: null };
/** To see that it runs; its figures say nothing. */
const QUICK: Extent = { splits: 3, attempts: 20, rows: 4_000 };
const SEED = 1;
const CONFIDENCE = 0.95;

type WholeCase = Omit<ExitsCase, 'rows'>;

export interface ExitsOptions {
  /** Results, table and figure into the repository. */
  readonly write: boolean;
  /** Few rows, few splits. */
  readonly quick: boolean;
  /** Folder with `resnet20/` and `cifar10/`; undefined: the bundled example alone. */
  readonly resnet20: string | undefined;
}

function exampleCase(): WholeCase {
  return {
    name: 'Bundled example (thin ResNet, Fashion-MNIST)',
    modelPath: 'server/examples/fashion-mnist/backbone.onnx',
    ...{ traffic: 'example:fashion-mnist', headTraffic: null, labels: null },
  };
}

/** The backbone was trained on the train rows: they fit heads and nothing else. */
function resnet20Case(data: string): WholeCase {
  return {
    name: 'ResNet-20, CIFAR-10',
    modelPath: resolve(data, 'resnet20/cifar10_resnet20.onnx'),
    traffic: `npy:${data}/cifar10/test_a_images.npy`,
    headTraffic: `npy:${data}/cifar10/train_a_images.npy`,
    labels: `${data}/cifar10/test_a_labels.npy`,
  };
}

/** Rules of early exits side by side, at equal disagreement and as each would be set. */
export async function measureExits({ write, quick, resnet20 }: ExitsOptions): Promise<Figure[]> {
  const all = [exampleCase(), ...(resnet20 === undefined ? [] : [resnet20Case(resnet20)])];
  const extent = quick ? QUICK : FULL;
  const cases: CaseResults[] = [];
  for (const one of all) cases.push(await measureCase({ ...one, rows: extent.rows }, extent));
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
  return cases.flatMap(figuresOf);
}

/** A rule may be ahead of ours by half a point: less than splits differ by. */
const LEAD = 0.005;

function figuresOf({ name, levels }: CaseResults): Figure[] {
  const section = `exits, ${name}`;
  return levels.flatMap(({ budget, rules, replay }) => {
    const at = percent(budget);
    const ours = rules.find((rule) => rule.name === RULE_NAMES.ours)?.equal?.mean ?? 0;
    const others = rules
      .filter((rule) => rule.name !== RULE_NAMES.ours)
      .map(({ equal }) => equal?.mean ?? 0);
    const certified = rules.find((rule) => rule.name === RULE_NAMES.certified)?.deployed;
    const { attempts, overBudget } = replay;
    return [
      seen({ section, name: `saved at ${at} disagreement` }, ours),
      atLeast(
        { section, name: `ahead of the best other rule at ${at}` },
        ours - Math.max(...others),
        -LEAD,
      ),
      seen({ section, name: `certified for ${at}: saved` }, certified?.saved.mean ?? 0),
      atMost(
        { section, name: `${attempts} attempts for ${at}: certified and over budget` },
        overBudget / attempts,
        Number(allowedShare(1 - CONFIDENCE, attempts).toPrecision(3)),
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

async function measureCase(exitsCase: ExitsCase, extent: Extent): Promise<CaseResults> {
  const recorded = await recordCase(exitsCase);
  const { serving, training, labels } = recorded;
  const splits = randomSplits(serving.rowCount, extent.splits, SEED);
  const input = await firstRow(exitsCase);
  const levels: LevelResults[] = [];
  for (const budget of LEVELS) {
    const level = await measureLevel(exitsCase, { recorded, splits, input, budget, extent });
    if (level !== null) levels.push(level);
  }
  const [split] = splits;
  return {
    ...{ name: exitsCase.name, macs: recorded.macs, trainingRows: training.rowCount },
    settingRows: split?.setting.length ?? 0,
    judgingRows: split?.judging.length ?? 0,
    backboneAccuracy: labels === null ? null : accuracyOf(recorded, labels),
    levels,
  };
}

async function measureLevel(
  exitsCase: ExitsCase,
  of: {
    readonly recorded: RecordedCase;
    readonly splits: ReturnType<typeof randomSplits>;
    readonly input: Float32Array;
    readonly budget: number;
    readonly extent: Extent;
  },
): Promise<LevelResults | null> {
  const { recorded, splits, input, budget, extent } = of;
  const trained = await trainCase(recorded, budget);
  if (trained === null) return null;
  const logits = await scoreRows(exitsCase, recorded, trained);
  const heads = trained.heads.map((head, i) => ({ of: head, logits: logits[i]! }));
  const rules = await levelRules(recorded, heads);
  const times = new Map<string, PathTimes>();
  for (const rule of rules) {
    const key = keyOf(rule);
    if (times.has(key)) continue;
    const asked = rule.heads.map(({ head }) => head);
    times.set(key, await measurePaths(exitsCase.modelPath, asked, input));
  }
  return {
    budget,
    heads: trained.heads
      .filter(({ isChosen }) => isChosen)
      .map(({ head: { exit, pool, hidden } }) => ({ exit, pool, hidden })),
    rules: rules.flatMap((rule) =>
      compareRules([rule], splits, { budget, timesOf: () => times.get(keyOf(rule))! }),
    ),
    replay: replayAttempts(
      answersOf(
        recorded,
        heads.filter(({ of: { isChosen } }) => isChosen),
        0,
      ),
      { budget, attempts: extent.attempts, seed: SEED },
    ),
  };
}

function keyOf({ heads }: TimedRule): string {
  return heads.map(({ exit }) => exit).join(' ');
}

async function firstRow(exitsCase: ExitsCase): Promise<Float32Array> {
  const engine = createOnnxEngine();
  const model = await engine.open({ path: exitsCase.modelPath, outputName: null, digest: null });
  await engine.close();
  const rows = await openRows(exitsCase, model.classCount);
  const { modelPath } = exitsCase;
  const [batch] = inputBatches(rows.serving.slice(0, 1), model, { modelPath, batchRows: 1 });
  rows.close();
  if (batch === undefined) throw new RangeError(`${exitsCase.traffic} has no rows to serve`);
  return batch.input;
}

function accuracyOf({ serving, classCount }: RecordedCase, labels: Int32Array): number {
  let right = 0;
  for (const [row, label] of labels.entries()) {
    const z = serving.logits.subarray(row * classCount, (row + 1) * classCount);
    if (z.indexOf(Math.max(...z)) === label) right += 1;
  }
  return right / labels.length;
}
