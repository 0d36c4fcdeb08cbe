import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LAMBDAS, THRESHOLDS } from '../../crds/wire/lambda-grid.ts';
import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import type { Report } from '../../operator/local/report/report-schema.ts';
import { headMacs } from '../../operator/fleet/model-costs.ts';
import { openTraffic } from '../../operator/local/traffic/open-traffic.ts';
import { planTraffic } from '../../operator/local/traffic/traffic-plan.ts';
import { applyRule, bestRule, type PathMacs } from './exit-rules.ts';
import { atLeast, atMost, seen, type Figure } from './figure.ts';
import { answerRows } from './head-answers.ts';
import { runLocally, type LocalRun } from './local-run.ts';

const EXAMPLE = 'server/examples/fashion-mnist';
const SEED = 1;

/** The bundled example as `npm start` runs it, and what raw rules would save with the same heads on the same rows. */
export async function measureExample(): Promise<Figure[]> {
  const run = await runLocally([
    ...['-f', `${EXAMPLE}/service.yaml`],
    ...['--traffic', 'example:fashion-mnist', '--seed', String(SEED)],
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
  const lambdaIndex = LAMBDAS.indexOf(lambda);
  const answers = await answerRows(`${EXAMPLE}/backbone.onnx`, bundle, await servedRows());
  const path = pathMacs(report, bundle);
  const ours = applyRule(answers, (answer) => answer.score, THRESHOLDS[lambdaIndex] ?? 1, path);
  const bound = ours.disagreementRatio;
  const section = 'same heads, same rows';
  const maxSoftmax = bestRule(answers, (answer) => answer.maxProbability, bound, path);
  const entropy = bestRule(answers, (answer) => 1 - answer.entropy, bound, path);
  return [
    seen({ section, name: 'rows' }, answers.length),
    seen({ section, name: 'disagreement of all three' }, bound),
    seen({ section, name: 'saved by the certified rule' }, ours.savedRatio),
    seen(
      { section, name: 'saved by max softmax, one threshold (SelfXit), with hindsight' },
      maxSoftmax.savedRatio,
    ),
    seen(
      { section, name: 'saved by entropy, one threshold (BranchyNet), with hindsight' },
      entropy.savedRatio,
    ),
  ];
}

/** All rows behind those that trained, in the run's order. */
async function servedRows(): Promise<Float32Array[]> {
  const traffic = await openTraffic('example:fashion-mnist', '--traffic');
  const plan = planTraffic({
    traffic,
    headTraffic: null,
    classCount: 10,
    seed: SEED,
    requests: null,
    loop: false,
    trains: true,
    drift: null,
  });
  const rows: Float32Array[] = [];
  for (let row = plan.nextServing(); row !== null; row = plan.nextServing()) {
    rows.push(Float32Array.from(traffic.readRow(row.index)));
  }
  traffic.close();
  return rows;
}

/** Every head on the way is charged, as in the report. */
function pathMacs(report: Report, bundle: HeadBundle): PathMacs {
  const { macs } = report.backbone;
  let heads = 0;
  const exits = bundle.heads.map((head) => {
    heads += headMacs(head, bundle.classCount) / macs;
    return (report.exits.find(({ name }) => name === head.exit)?.macsShare ?? 1) + heads;
  });
  return [...exits, 1 + heads];
}
