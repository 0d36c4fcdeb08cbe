import { expect, test } from 'vitest';
import { expectPolicies } from '../../../bench/fleet/expect-policies.ts';
import { fleetNodes, fleetServices, namespacesOf } from '../../../bench/fleet/fleet-objects.ts';
import { countReported, toCounters } from '../../../bench/fleet/fleet-operator.ts';
import type { AppliedPolicy } from '../../../bench/fleet/messages.ts';
import { usedBetween } from '../../../bench/fleet/process-meter.ts';
import { mergeReports } from '../../../bench/fleet/simulated-fleet-processes.ts';
import { callsBetween } from '../../../bench/fleet/stage-result.ts';

function anApplied(service: string, podUid: string, atMs: number, revision = 1): AppliedPolicy {
  return {
    ...{ service, podUid, atMs, epoch: 1, revision, maxQueueLength: 100 },
    ...{ stable: null, exitsEnabled: false },
  };
}

test('a policy is everywhere once each pod of each service has it; the time is that of the last pod', async () => {
  const handlers = new Set<(applied: AppliedPolicy) => void>();
  const wait = expectPolicies(
    {
      onApplied: (handler) => {
        handlers.add(handler);
        return () => handlers.delete(handler);
      },
    },
    {
      services: ['a/x', 'a/y'],
      pods: 2,
      holds: ({ revision }) => revision === 2,
      deadlineMs: 5_000,
    },
  );
  const tell = (...applied: readonly AppliedPolicy[]): void => {
    for (const one of applied) for (const handler of handlers) handler(one);
  };
  tell(anApplied('a/x', '1', 10, 1), anApplied('a/x', '1', 20, 2), anApplied('a/x', '1', 25, 2));
  expect(wait.count()).toBe(0);
  tell(anApplied('a/x', '2', 30, 2), anApplied('a/y', '3', 40, 2), anApplied('a/z', '9', 41, 2));
  expect(wait.count()).toBe(1);
  tell(anApplied('a/y', '4', 50, 2));
  expect([...(await wait.done)]).toEqual([
    ['a/x', 30],
    ['a/y', 50],
  ]);
  expect(handlers.size).toBe(0);
});

test('a policy that does not come everywhere says how many services lack it', async () => {
  const { done } = expectPolicies(
    { onApplied: () => () => undefined },
    { services: ['a/x'], pods: 1, holds: () => true, deadlineMs: 1 },
  );
  await expect(done).rejects.toThrow('1 of 1 services lack the policy, such as a/x');
});

test('each pod of a fleet has an address of its own on this machine', () => {
  const nodes = fleetNodes({ services: 100, pods: 10 }, 16) as { spec: { podCIDR: string } }[];
  expect(nodes.map(({ spec }) => spec.podCIDR)).toEqual(['127.16.0.0/16', '127.17.0.0/16']);
  const services = fleetServices({ services: 150, pods: 1 });
  expect(namespacesOf(services)).toEqual(['fleet-0', 'fleet-1']);
  expect(services[149]).toEqual({ namespace: 'fleet-1', name: 's-149' });
});

test('counters of the operator are those of its page, and of a stage what was added in it', () => {
  const page = [
    '# HELP rest_client_requests_total x',
    'rest_client_requests_total{code="200",method="GET",host="h"} 7',
    'rest_client_requests_total{code="404",method="GET",host="h"} 1',
    'rest_client_requests_total{code="200",method="PATCH",host="h"} 5',
    'layercache_cache_lists_total{kind="pod",cause="start"} 1',
    'controller_runtime_reconcile_total{controller="c",result="success"} 4',
    'controller_runtime_reconcile_total{controller="c",result="error"} 2',
    'controller_runtime_reconcile_time_seconds_sum{controller="c"} 1.5',
  ].join('\n');
  expect(countReported(page)).toBe(0);
  const told = 'layercache_service_info{model="m",model_namespace="n"} 1';
  expect(countReported(`${page}\n${told}\n`)).toBe(1);
  const before = toCounters(page);
  expect(before).toEqual({
    apiCalls: { GET: 8, PATCH: 5 },
    lists: { start: 1 },
    passes: 6,
    passSeconds: 1.5,
  });
  const after = {
    apiCalls: { GET: 9, PATCH: 5 },
    lists: { start: 1, failure: 2 },
    passes: 8,
    passSeconds: 2,
  };
  expect(callsBetween(before, after)).toEqual({
    ...{ apiCalls: { GET: 1 }, lists: { failure: 2 }, passes: 2, passSeconds: 0.5 },
  });
  // Another process: all of it is of this stage.
  const fresh = { apiCalls: { GET: 3 }, lists: {}, passes: 1, passSeconds: 1 };
  expect(callsBetween(after, fresh)).toEqual(fresh);
});

test('processor time of a process that began in between counts, and of one that ended no more', () => {
  const before = new Map([
    [1, 10],
    [2, 5],
  ]);
  expect(
    usedBetween(
      before,
      new Map([
        [1, 12],
        [3, 4],
      ]),
    ),
  ).toBe(6);
});

test('reports of several processes are one', () => {
  const one = {
    ...{ kind: 'Report' as const, pods: 2, connections: 1, handshakes: 3 },
    ...{ calls: { 'GET /v1/state': 2 }, evidenceLagMs: [5, 30] },
  };
  expect(mergeReports([one, { ...one, evidenceLagMs: [10] }])).toEqual({
    ...{ pods: 4, connections: 2, handshakes: 6 },
    ...{ calls: { 'GET /v1/state': 4 }, evidenceLagMs: [5, 10, 30] },
  });
});
