import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LAMBDAS, THRESHOLDS } from '../../crds/wire/lambda-grid.ts';
import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import type { Report } from '../../operator/local/report/report-schema.ts';
import { headMacs } from '../../operator/fleet/model-costs.ts';
import { pathTo } from './exits/rules/answers.ts';
import { scoresOf } from './exits/rules/certify.ts';
import { outcomeOf } from './exits/rules/outcome.ts';
import { RULE_NAMES } from './exits/rules/rule-names.ts';
import { settle, thresholdRule } from './exits/rules/rule.ts';
import { aboveThreshold, type Values } from './exits/rules/threshold.ts';
import type { ExitsCase } from './exits/stream.ts';
import { atLeast, atMost, seen, type Figure } from './figure.ts';
import { answerRows } from './head-answers.ts';
import { runLocally, type LocalRun } from './local-run.ts';

const EXAMPLE = 'server/examples/fashion-mnist';
const SEED = 1;

export const EXAMPLE_CASE: ExitsCase = {
  name: 'Bundled example (thin ResNet, Fashion-MNIST)',
  modelPath: `${EXAMPLE}/backbone.onnx`,
  ...{ traffic: 'example:fashion-mnist', headTraffic: null, labels: null, rows: null },
};

/** The bundled example as `npm start` runs it, and what raw rules would save with the same heads on the same rows. */
export async function measureExample(): Promise<Figure[]> {
  const run = await runLocally([
    ...['-f', `${EXAMPLE}/service.yaml`],
    ...['--traffic', EXAMPLE_CASE.traffic, '--seed', String(SEED)],
  ]);
  return [
    ...runFigures('bundled example', run, {
      minServing: 10_000,
      minSaving: 0.55,
      minLatencyShare: 0.8,
    }),
    ...(await compareRules(run)),
  ];
}

/**
 * A ResNet-20 on CIFAR-10 from a folder outside the repository: `resnet20/cifar10_resnet20.onnx` with its `layercache.json`, and
 * `cifar10/{train_a,test_a}_images.npy`. The backbone was trained on the train rows, so they train heads and are never evidence.
 */
export async function measureResNet20(data: string): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-bench-'));
  const manifest = join(folder, 'service.yaml');
  try {
    const uri = `file://${resolve(data, 'resnet20/cifar10_resnet20.onnx')}`;
    writeFileSync(
      manifest,
      `apiVersion: layercache.io/v1alpha1
kind: CachedModelService
metadata: {name: resnet20}
spec:
  backbone: {uri: "${uri}"}
  accuracy: {maxDisagreement: 1%}
`,
    );
    const run = await runLocally([
      ...['-f', manifest, '--traffic', `npy:${data}/cifar10/test_a_images.npy`],
      ...['--head-traffic', `npy:${data}/cifar10/train_a_images.npy`, '--seed', String(SEED)],
    ]);
    return runFigures('ResNet-20, CIFAR-10', run, {
      minServing: 1_000,
      minSaving: 0.22,
      minLatencyShare: null,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runFigures(
  section: string,
  { report, wallSeconds }: LocalRun,
  promise: {
    readonly minServing: number;
    readonly minSaving: number;
    /** Of the multiply-adds saved, at the client; null: only told. */
    readonly minLatencyShare: number | null;
  },
): Figure[] {
  const { serving } = report;
  const macs = serving.netMacsSavedRatio ?? 0;
  const latency = serving.meanLatencySavedRatio ?? 0;
  const disagreement = serving.trueDisagreement;
  return [
    atMost({ section, name: 'requests until certified' }, requestsUntilCertified(report), 15_000),
    atLeast({ section, name: 'requests while serving' }, serving.requests, promise.minServing),
    atMost(
      { section, name: 'true disagreement' },
      disagreement === null ? 1 : disagreement.k / disagreement.n,
      0.01,
    ),
    atLeast({ section, name: 'multiply-adds saved, net' }, macs, promise.minSaving),
    seen({ section, name: 'engine time saved, net' }, serving.netTimeSavedRatio ?? 0),
    seen({ section, name: 'mean latency saved at the client' }, latency),
    latencyFigure(
      { section, name: 'latency saved / multiply-adds saved' },
      latency / macs,
      promise,
    ),
    atMost({ section, name: 'errors' }, report.errors.count, 0),
    seen({ section, name: 'whole run', unit: 's' }, wallSeconds),
  ];
}

function latencyFigure(
  place: { readonly section: string; readonly name: string },
  share: number,
  { minLatencyShare }: { readonly minLatencyShare: number | null },
): Figure {
  return minLatencyShare === null ? seen(place, share) : atLeast(place, share, minLatencyShare);
}

/** Rows that were answered before the first ramp began; infinite without a certificate. */
function requestsUntilCertified(report: Report): number {
  if (report.certificate === null) return Infinity;
  const before = report.phases.findIndex(({ stage }) => stage === 'Ramping');
  const phases = before < 0 ? report.phases : report.phases.slice(0, before);
  return phases.reduce((sum, phase) => sum + phase.requests, 0);
}

async function compareRules({ report, bundle }: LocalRun): Promise<Figure[]> {
  if (bundle === null || report.certificate === null) return [];
  const { lambda } = report.certificate;
  const threshold = THRESHOLDS[LAMBDAS.indexOf(lambda)] ?? 1;
  const answers = await answerRows(EXAMPLE_CASE, bundle, pathMacs(report, bundle));
  const rows = Uint32Array.from({ length: answers.rowCount }, (_, row) => row);
  const ours = outcomeOf(answers, rows, aboveThreshold(scoresOf(answers), threshold));
  const bound = ours.disagreementRatio;
  const savedBy = (name: string, values: Values): number => {
    const leaves = settle(thresholdRule(name, answers, values), rows, bound);
    return leaves === null ? 0 : outcomeOf(answers, rows, leaves).savedRatio;
  };
  const section = 'same heads, same rows';
  const { exits } = answers;
  const maxSoftmax = exits.map(({ logitMax }) => logitMax);
  const sureness = exits.map(({ entropy }) => entropy.map((h) => -h));
  return [
    seen({ section, name: 'rows' }, answers.rowCount),
    seen({ section, name: 'disagreement of all three' }, bound),
    seen({ section, name: 'saved by the certified rule' }, ours.savedRatio),
    seen(
      { section, name: 'saved by max softmax, one threshold (SelfXit), with hindsight' },
      savedBy(RULE_NAMES.selfXit, maxSoftmax),
    ),
    seen(
      { section, name: 'saved by entropy, one threshold (BranchyNet), with hindsight' },
      savedBy(RULE_NAMES.branchyNet, sureness),
    ),
  ];
}

/** Every head on the way is charged, as in the report. */
function pathMacs(report: Report, { heads, classCount }: HeadBundle): readonly number[] {
  const exits = heads.map((head) => ({
    macsShare: report.exits.find(({ name }) => name === head.exit)?.macsShare ?? 1,
    addedMacs: headMacs(head, classCount),
  }));
  return pathTo(exits, report.backbone.macs);
}
