// The life of heads and of pods under open-loop load: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { expect, onTestFinished, test } from 'vitest';
import type { HeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { Policy, PolicyCandidate, PolicyTrack } from '../../../crds/wire/policy.ts';
import { startOpenLoop, countOutcomes } from '../../bench/open-loop.ts';
import { openRecord } from '../../promises/open-record.ts';
import { eventually } from '../../support/eventually.ts';
import { aBundle } from '../../support/onnx-models/random-head.ts';
import { startPlayedService, type PlayedService } from '../../support/played-service.ts';
import { residualServers } from '../../support/residual-servers.ts';
import {
  applyPolicy,
  describedModel,
  linesOf,
  policyFor,
  pushBundle,
  stateOf,
  whenReady,
} from '../../support/served-process.ts';
import type { StartedServer } from '../../support/server-process.ts';
import { rowRequest } from '../../support/swap-run.ts';
import { INFER, send } from '../../support/test-server.ts';

const recordRollout = openRecord('rollout-under-load');

const RATE = 60;
/** More than the test is ever long. */
const LONGEST_SECONDS = 300;
const ROWS = 8;
/** In which other processes hear that a pod leaves: those that still send to it are answered. */
const start = residualServers({ labels: ['a', 'b', 'c'] });
const LEAVES_SLOWLY = { LAYERCACHE_DRAIN_DELAY: '4s' };
/** Connections that a pod gets after it was told to end, before its endpoint goes. */
const LATE_CONNECTIONS = 3;
/** One in four: that none of so many is of the candidate has a chance below 1e-9. */
const MOST_ASKED = 80;

interface Pod {
  readonly started: StartedServer;
  readonly data: number;
  readonly admin: number;
}

interface Answer {
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly outputs: readonly { readonly data: readonly number[] }[];
}

/** Where heads are on and a row runs to the end, its answer names them too. */
function headsOf({ layercache_exit: exit, layercache_head_revision: heads }: Answer['parameters']) {
  return exit === 'backbone' ? 'backbone' : String(heads);
}

const rows = Array.from({ length: ROWS }, (_, i) => rowRequest(i));

async function startPod(): Promise<Pod> {
  const started = start(LEAVES_SLOWLY);
  const { dataPort: data, adminPort: admin } = await whenReady(started);
  return { started, data, admin };
}

/** A service, what is in force on its pods, and answers of rows by the heads that gave them. */
async function aService() {
  const service = await startPlayedService();
  onTestFinished(() => service.close());
  const pods = new Set<Pod>();
  const known = new Map<string, readonly number[]>();
  const wrong: string[] = [];
  let asked = 0;
  let failed = 0;
  let bundles: readonly HeadBundle[] = [];
  let inForce: Policy | null = null;

  async function equip({ admin }: Pod): Promise<void> {
    for (const bundle of bundles) await pushBundle(admin, bundle);
    if (inForce !== null) expect(await applyPolicy(admin, inForce)).toMatchObject(APPLIED);
  }

  /** The heads that answered one row; what they say of it is the same on every pod, at every time. */
  async function ask(i: number): Promise<Answer['parameters'] | null> {
    asked += 1;
    const answer = await send(service.port, INFER, { method: 'POST', ...rows[i % ROWS]! }).catch(
      () => null,
    );
    if (answer?.status !== 200) {
      failed += 1;
      return null;
    }
    const { parameters, outputs } = JSON.parse(answer.body.toString()) as Answer;
    const of = `row ${i % ROWS} by ${headsOf(parameters)}`;
    const { data } = outputs[0]!;
    const before = known.get(of) ?? data;
    known.set(of, before);
    if (data.some((value, at) => Math.abs(value - before[at]!) > 1e-4)) wrong.push(of);
    return parameters;
  }

  return {
    ...{ service, pods, known, wrong },
    figures: () => ({ asked, failed }),
    join: async (pod: Pod) => {
      await equip(pod);
      pods.add(pod);
      service.add(pod.data);
    },
    prepare: async (made: readonly HeadBundle[]): Promise<readonly string[]> => {
      bundles = made;
      const [first] = pods;
      const revisions = await Promise.all(made.map((one) => pushBundle(first!.admin, one)));
      for (const pod of pods) await equip(pod);
      return revisions;
    },
    /** On every pod; then asks until as many answers under it have come, and resolves with whose they are. */
    apply: async (
      policy: Policy,
      isEnough: (heads: ReadonlySet<string>) => boolean = () => true,
    ) => {
      inForce = policy;
      for (const { admin } of pods) {
        expect(await applyPolicy(admin, policy)).toMatchObject(APPLIED);
      }
      const heads = new Set<string>();
      for (let i = 0; i < ROWS || !isEnough(heads); i += 1) {
        if (i === MOST_ASKED) throw new Error(`only of ${[...heads].join(', ')}`);
        const parameters = await ask(i);
        if (parameters === null) continue;
        expect(parameters.layercache_policy).toBe(`1.${policy.revision}`);
        heads.add(headsOf(parameters));
      }
      return heads;
    },
  };
}

const APPLIED = { result: 'Applied', reason: '' };

/** Ends as the kubelet ends it, while its endpoint is still one. */
async function endWhileAsked(pod: Pod, service: PlayedService): Promise<void> {
  const before = service.connectionsTo(pod.data);
  pod.started.child.kill('SIGTERM');
  await eventually(() => {
    expect(linesOf(pod.started).some(({ msg }) => msg === 'leaving')).toBe(true);
    expect(service.connectionsTo(pod.data)).toBeGreaterThanOrEqual(before + LATE_CONNECTIONS);
  }, 20_000);
}

/** What the operator publishes from first heads to others, as changes of one policy. */
function policies(bundle: HeadBundle, first: string, second: string) {
  let revision = 0;
  const { stable: full, ...base } = policyFor(bundle, first, 0);
  const track = (headRevision: string): PolicyTrack => ({ ...full!, headRevision });
  const publish = (more: Partial<Policy>): Policy => ({
    ...{ ...base, stable: null, candidate: null },
    ...more,
    revision: ++revision,
  });
  const ramping = (headRevision: string, share: number): PolicyCandidate => ({
    ...{ ...track(headRevision), share, stage: 'Ramping' },
  });
  const unproved = { lambdaIndex: null, certificate: null, share: 0, stage: 'Shadowing' } as const;
  const stable = track(first);
  return {
    collecting: () => publish({}),
    shadowing: () => publish({ candidate: { ...track(first), ...unproved } }),
    firstRamp: () => publish({ candidate: ramping(first, 0.25) }),
    promoted: () => publish({ stable }),
    ramp: () => publish({ stable, candidate: ramping(second, 0.25) }),
    othersPromoted: () => publish({ stable: track(second) }),
    alarm: () => publish({ stable, exitsEnabled: false }),
  };
}

test('heads start, ramp, are aborted, promoted, rolled back and switched off, pods come, are replaced and deleted: no request fails', async () => {
  const cluster = await aService();
  const { service } = cluster;
  const [one, two] = await Promise.all([startPod(), startPod()]);
  await cluster.join(one);
  await cluster.join(two);
  const load = await startOpenLoop({
    ...{ port: service.port, seed: 31, ratePerSecond: RATE, requests: RATE * LONGEST_SECONDS },
    // Every second client opens a connection for its request: a pod that leaves gets some of them.
    messages: rows.map(({ body, headers }, i) => ({
      ...{ path: INFER, body },
      headers: i % 2 === 0 ? headers : { ...headers, connection: 'close' },
    })),
  });
  onTestFinished(() => {
    load.stop();
  });

  const model = describedModel(await stateOf(one.admin));
  const leavesAt = [{ tensor: 'block1', intercept: 50 }];
  const bundles = [9, 90].map((seed) => aBundle(model, leavesAt, seed));
  const [first = '', second = ''] = await cluster.prepare(bundles);
  const next = policies(bundles[0]!, first, second);
  const onlyOf = async (heads: string, policy: Policy): Promise<void> => {
    expect([...(await cluster.apply(policy))]).toEqual([heads]);
  };
  const both = (seen: ReadonlySet<string>): boolean => seen.size === 2;

  await onlyOf('backbone', next.collecting());
  await onlyOf('backbone', next.shadowing());
  await cluster.apply(next.firstRamp(), both);
  await onlyOf(first, next.promoted());
  await cluster.apply(next.ramp(), both);
  // Aborted.
  await onlyOf(first, next.promoted());
  await cluster.apply(next.ramp(), both);
  await onlyOf(second, next.othersPromoted());
  // Rolled back.
  await onlyOf(first, next.promoted());
  await onlyOf('backbone', next.alarm());
  await onlyOf(first, next.promoted());
  await cluster.apply(next.ramp(), both);

  // In the middle of a ramp: a pod is replaced, the service is scaled down, and deleted.
  const three = await startPod();
  await cluster.join(three);
  await endWhileAsked(one, service);
  service.remove(one.data);
  await endWhileAsked(two, service);
  service.remove(two.data);
  await endWhileAsked(three, service);
  load.stop();
  const report = await load.done;
  service.remove(three.data);
  const codes = await Promise.all([one, two, three].map(({ started }) => started.code));

  const outcomes = countOutcomes(report);
  const { asked, failed } = cluster.figures();
  const requests = report.status.length + asked;
  recordRollout({
    requests,
    failed: failed + report.status.length - (outcomes['200'] ?? 0),
    wrong: cluster.wrong.length,
    podsEnded: codes.filter((code) => code === 0).length,
  });
  expect(outcomes).toEqual({ '200': report.status.length });
  expect({ failed, wrong: cluster.wrong }).toEqual({ failed: 0, wrong: [] });
  expect(codes).toEqual([0, 0, 0]);
  // Rows are told apart by their answers, and heads too.
  expect(new Set([...cluster.known.values()].map(String)).size).toBe(cluster.known.size);
}, 120_000);
