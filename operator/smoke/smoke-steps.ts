import { HEAD_REVISION_KIND } from '../../crds/v1alpha1/cache-head-revision.ts';
import { KIND } from '../../crds/v1alpha1/cached-model-service.ts';
import { numbersOf, sameNumbers } from './answers.ts';
import type { SmokeCluster, SmokePod } from './smoke-cluster.ts';
import { answeredOn } from './metric-lines.ts';
import { SMOKE_MODEL } from './smoke-service.ts';

/** One line of the test: what is true when it has passed. */
export interface SmokeStep {
  readonly title: string;
  /** Resolves with what was seen; rejects with a `NotYet` that is asked again, or with what is wrong for good. */
  readonly check: (cluster: SmokeCluster) => Promise<string>;
}

/** Asked again until the deadline; its message is told when that has come. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
}

export const SMOKE_STEPS: readonly SmokeStep[] = [
  { title: 'both kinds are served', check: kindsServed },
  { title: 'the service is created', check: created },
  { title: 'the service is Ready', check: ready },
  { title: 'a v2 request is answered', check: answersV2 },
  { title: 'a v1 request gets the same answer', check: answersV1 },
  { title: 'its requests stand in /metrics', check: metricsParse },
  { title: 'every pod has acknowledged the policy', check: acknowledged },
  { title: 'the service is deleted', check: deleted },
];

async function kindsServed(cluster: SmokeCluster): Promise<string> {
  const kinds = await cluster.servedKinds();
  const missing = [KIND, HEAD_REVISION_KIND].filter((one) => !kinds.includes(one));
  if (missing.length === 0) return kinds.join(', ');
  throw new Error(
    `the API server does not know ${missing.join(' and ')}: install the chart with crds.install=true, or apply crds.yaml`,
  );
}

/** What an earlier test left is taken away first. */
async function created(cluster: SmokeCluster): Promise<string> {
  if ((await cluster.remove()) === 'Deleted') throw new NotYet('one of an earlier test is ending');
  return cluster.create();
}

async function ready(cluster: SmokeCluster): Promise<string> {
  const { generation, status } = await cluster.read();
  const conditions = (status.conditions ?? []).filter(
    ({ observedGeneration }) => observedGeneration === generation,
  );
  const found = (type: string) => conditions.find((one) => one.type === type);
  const valid = found('Valid');
  if (valid?.status === 'False') throw new Error(`Valid is False: ${valid.message}`);
  const condition = found('Ready');
  if (condition?.status === 'True') return `${String(status.readyReplicas)} pods ready`;
  throw new NotYet(
    condition === undefined
      ? 'the operator has not reported on it: is its pod ready, and does it watch this namespace?'
      : `Ready is ${condition.status}: ${condition.message}`,
  );
}

async function answersV2(cluster: SmokeCluster): Promise<string> {
  const body = { inputs: [await rowOfZeros(cluster)] };
  const answer = await cluster.post(`/v2/models/${SMOKE_MODEL}/infer`, body);
  return `${String(numbersOf(answer, 'v2').length)} numbers`;
}

async function answersV1(cluster: SmokeCluster): Promise<string> {
  const row = await rowOfZeros(cluster);
  const v2 = await cluster.post(`/v2/models/${SMOKE_MODEL}/infer`, { inputs: [row] });
  const v1 = await cluster.post(`/v1/models/${SMOKE_MODEL}:predict`, { instances: [nested(row)] });
  const [first, second] = [numbersOf(v2, 'v2'), numbersOf(v1, 'v1')];
  if (sameNumbers(first, second)) return `${String(second.length)} numbers`;
  throw new Error(
    `the protocols disagree: v2 says ${first.join(' ')}, v1 says ${second.join(' ')}`,
  );
}

async function metricsParse(cluster: SmokeCluster): Promise<string> {
  const counts = await Promise.all(
    (await podsOf(cluster)).map(async (pod) => answeredOn(await cluster.metricsOf(pod))),
  );
  const answered = counts.reduce((sum, count) => sum + count, 0);
  if (answered > 0) return `${String(answered)} requests in ${String(counts.length)} pods`;
  throw new NotYet('no pod has counted the requests that were answered');
}

async function acknowledged(cluster: SmokeCluster): Promise<string> {
  const { status } = await cluster.read();
  const { appliedReplicas = 0, epoch, revision } = status.policy ?? {};
  if (appliedReplicas > 0 && appliedReplicas === status.readyReplicas) {
    return `epoch ${String(epoch)}, revision ${String(revision)}`;
  }
  throw new NotYet(
    `${String(appliedReplicas)} of ${String(status.readyReplicas ?? 0)} pods have: does a network policy keep the operator from port 8081?`,
  );
}

async function deleted(cluster: SmokeCluster): Promise<string> {
  if ((await cluster.remove()) === 'Gone') return 'gone';
  throw new NotYet('it is ending');
}

async function podsOf(cluster: SmokeCluster): Promise<readonly SmokePod[]> {
  const pods = (await cluster.pods()).filter(({ ip }) => ip !== '');
  if (pods.length === 0) throw new NotYet('the service has no pod with an address');
  return pods;
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: readonly number[];
}

/** As the model describes its input. */
async function rowOfZeros(cluster: SmokeCluster): Promise<Tensor> {
  const { inputs } = (await cluster.get(`/v2/models/${SMOKE_MODEL}`)) as {
    readonly inputs?: readonly { readonly name: string; readonly shape: readonly number[] }[];
  };
  const [input] = inputs ?? [];
  if (input === undefined) throw new Error('the model names no input');
  const shape = [1, ...input.shape.slice(1)];
  const size = shape.reduce((product, length) => product * length, 1);
  return { name: input.name, shape, datatype: 'FP32', data: new Array<number>(size).fill(0) };
}

/** Zeros as lists within lists, without the batch. */
function nested({ shape }: Tensor): unknown {
  return shape
    .slice(1)
    .reduceRight<unknown>((inner, length) => new Array<unknown>(length).fill(inner), 0);
}
