// The Job controller with a kubelet, and trainers that give heads of exits.md 7.2 in the time that they are told.
import { createHash } from 'node:crypto';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { Result } from '../../../crds/wire/result.ts';
import type { AdminAnswer, AdminCall } from '../../../operator/fleet/admin-client.ts';
import type { KubeObject } from '../../../operator/kube/api.ts';
import { BACKBONE_DIGEST } from '../../support/builders.ts';
import { fakePod } from '../../support/fake-pod.ts';
import { EXITS } from '../../support/simulated-fleet.ts';
import { aBundle, aHead } from '../../unit/crds/documents.ts';
import { NAMESPACE, type World } from '../sim/world.ts';
import type { LoopStore } from './loop-store.ts';

/** What the next trainers do. */
export interface TrainerScript {
  outcome: 'Trained' | 'NotBetter' | 'TooFewRows' | 'Failed' | 'Silent' | 'UploadFailed';
  /** Where bundles go that the Job wants stored. */
  readonly store: LoopStore;
  /** Heads of an attempt are the same in every run; the same seed gives the same heads. */
  seedOf: (attempt: number) => number;
}

/** A bundle with a head at every exit; another seed, other weights. */
export function aLoopBundle(seed: number): { readonly digest: string; readonly bytes: Uint8Array } {
  const bytes = encodeHeadBundle(
    aBundle({
      backboneDigest: BACKBONE_DIGEST,
      heads: EXITS.map((exit) =>
        aHead({ exit, tensor: `${exit}_out`, b1: Float32Array.of(seed / 8, -seed / 8) }),
      ),
    }),
  );
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes };
}

interface JobSpec {
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: {
      readonly volumes?: unknown;
      readonly containers: readonly [{ readonly env: readonly { readonly value?: string }[] }];
    };
  };
}

/** Starts a pod for each Job that has none, and ends Jobs whose trainer was told to end. */
export async function runJobs(world: World, script: TrainerScript): Promise<void> {
  const client = world.cluster.client('job-controller');
  for (const job of world.cluster.objects('Job')) {
    const { name, uid = '', deletionTimestamp } = job.metadata;
    const hasPod = world.cluster
      .objects('Pod')
      .some(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
    if (hasPod || deletionTimestamp !== undefined || job.status !== undefined) continue;
    const { template } = job.spec as JobSpec;
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true };
    const podName = `${name}-x`;
    const pod = await client.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...{ name: podName, namespace: NAMESPACE, labels: template.metadata.labels },
        ownerReferences: [owner],
      },
      spec: template.spec,
    });
    const podUid = pod.metadata.uid ?? '';
    const fake = fakePod(podUid, { name: podName });
    fake.override = (call) => answerTrainer(world, job, script, call);
    world.pods.set(podUid, fake);
    await client.mergePatch(
      { kind: 'Pod', namespace: NAMESPACE, name: podName },
      { status: { phase: 'Running', podIP: '10.0.1.1' } },
      { subresource: 'status', fieldManager: 'kubelet' },
    );
  }
}

const answer = (status: number, body: Buffer): Result<AdminAnswer> => ({
  ok: true,
  value: { status, body },
});

async function answerTrainer(
  world: World,
  job: KubeObject,
  script: TrainerScript,
  { path }: AdminCall,
): Promise<Result<AdminAnswer>> {
  const attempt = Number(/-train-(\d+)$/.exec(job.metadata.name)?.[1]);
  const { digest, bytes } = aLoopBundle(script.seedOf(attempt));
  if (script.outcome === 'Silent') return { ok: false, code: 'NoAnswer', message: 'no answer' };
  if (path === '/v1/bundle') return answer(200, Buffer.from(bytes));
  if (path === '/v1/done') {
    await endJob(world, job.metadata.name, END_OF[script.outcome] ?? null);
    return answer(200, Buffer.from('{}'));
  }
  return answer(200, Buffer.from(JSON.stringify(stateOf(job, script, { digest, bytes }))));
}

function stateOf(
  job: KubeObject,
  { outcome, store }: TrainerScript,
  { digest, bytes }: ReturnType<typeof aLoopBundle>,
): object {
  const isTrained = outcome === 'Trained';
  const isFailed = END_OF[outcome] !== undefined;
  return {
    state: isFailed ? 'Failed' : 'Done',
    ...{ progress: 1, message: 'As the script has it.' },
    outcome: isFailed ? null : outcome,
    uri: isTrained ? upload(job, digest, bytes, store) : null,
    failure: outcome === 'UploadFailed' ? outcome : null,
    ...{ digest: isTrained ? digest : null, sizeBytes: bytes.length, rows: 10_000 },
    ...{ durationSeconds: 1, summary: null },
  };
}

/** Why the Job fails after such a trainer. */
const END_OF: Partial<Record<TrainerScript['outcome'], string>> = {
  Failed: 'BackoffLimitExceeded',
  UploadFailed: 'PodFailurePolicy',
};

/** Where the Job wants its bundle; null: nowhere. */
function upload(
  { spec }: KubeObject,
  digest: string,
  bytes: Uint8Array,
  { files }: LoopStore,
): string | null {
  const [{ value = '{}' } = {}] = (spec as JobSpec).template.spec.containers[0].env;
  const { store } = JSON.parse(value) as { readonly store?: { readonly uri: string } };
  if (store === undefined) return null;
  const uri = `${store.uri}/${digest.slice('sha256:'.length)}`;
  files.set(uri, bytes);
  return uri;
}

/** The kernel ends a trainer that takes more memory than it may, and the Job tries no more. */
export async function killTrainer(world: World, jobName: string): Promise<void> {
  const terminated = { exitCode: 137, reason: 'OOMKilled', finishedAt: '2026-01-01T00:00:00Z' };
  await world.cluster.client('kubelet').mergePatch(
    { kind: 'Pod', namespace: NAMESPACE, name: `${jobName}-x` },
    {
      status: {
        phase: 'Failed',
        containerStatuses: [{ name: 'trainer', restartCount: 0, state: { terminated } }],
      },
    },
    { subresource: 'status', fieldManager: 'kubelet' },
  );
  await endJob(world, jobName, 'BackoffLimitExceeded');
}

/** As the Job controller says it; null: it completed. */
export async function endJob(world: World, name: string, failure: string | null): Promise<void> {
  const client = world.cluster.client('job-controller');
  const condition =
    failure === null
      ? { type: 'Complete', status: 'True' }
      : { type: 'Failed', status: 'True', reason: failure, message: 'The Job has failed' };
  await client.mergePatch(
    { kind: 'Job', namespace: NAMESPACE, name },
    { status: { conditions: [condition] } },
    { subresource: 'status', fieldManager: 'job-controller' },
  );
}
