import { beforeEach, expect, test } from 'vitest';
import type { KubeObject } from '../../../../operator/kube/api.ts';
import {
  createEventRecorder,
  type EventFacts,
  type EventRecorder,
} from '../../../../operator/kube/events.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../../support/kube-clock.ts';
import { createSimulatedCluster, type SimulatedCluster } from '../../../support/simulated-api.ts';
import type { Fault } from '../../../support/simulated-api-faults.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

let clock: FakeKubeClock;
let cluster: SimulatedCluster;
let recorder: EventRecorder;
let fault: Fault | null;
let stop: AbortController;

beforeEach(() => {
  clock = fakeKubeClock();
  cluster = createSimulatedCluster({ clock });
  cluster.addNamespace('ns');
  const random = seededRandom(1);
  fault = null;
  stop = new AbortController();
  recorder = createEventRecorder({
    api: cluster.client('operator', { onCall: () => fault }),
    clock,
    random: () => random.uniform(),
    signal: stop.signal,
    controller: 'layercache.io/operator',
    instance: 'operator-1',
  });
});

const SERVICE: KubeObject = {
  apiVersion: 'layercache.io/v1alpha1',
  kind: 'CachedModelService',
  metadata: { name: 'm', namespace: 'ns', uid: 'uid-m', resourceVersion: '7' },
};

function event(fields: Partial<EventFacts> = {}): EventFacts {
  return {
    regarding: SERVICE,
    type: 'Normal',
    reason: 'BackboneLoaded',
    action: 'Loading',
    note: 'loaded',
    ...fields,
  };
}

const events = () => cluster.objects('Event');

test('an event is about its object, in its namespace, with the time in six digits', async () => {
  recorder.record(event());
  await recorder.settled();
  expect(events()).toMatchObject([
    {
      metadata: { namespace: 'ns' },
      eventTime: '2027-01-15T08:00:00.000000Z',
      reportingController: 'layercache.io/operator',
      reportingInstance: 'operator-1',
      type: 'Normal',
      reason: 'BackboneLoaded',
      action: 'Loading',
      note: 'loaded',
      regarding: {
        apiVersion: 'layercache.io/v1alpha1',
        kind: 'CachedModelService',
        namespace: 'ns',
        name: 'm',
        uid: 'uid-m',
      },
    },
  ]);
  expect(events()[0]!.series).toBeUndefined();
});

test('equal events are one object that is written at most every 5 minutes, with their count', async () => {
  for (let second = 0; second < 900; second++) {
    recorder.record(event());
    await clock.pass(1_000);
  }
  expect(cluster.writes.map(({ verb }) => verb)).toEqual(['create', 'patch', 'patch', 'patch']);
  expect(events()).toMatchObject([
    { series: { count: 900, lastObservedTime: '2027-01-15T08:15:00.000000Z' } },
  ]);
});

test('any number of repeats sets one alarm', async () => {
  for (let i = 0; i < 50; i++) recorder.record(event());
  await recorder.settled();
  expect(clock.alarms).toBe(1);
});

test('a repeat after a longer pause is written at once', async () => {
  recorder.record(event());
  await clock.pass(1_200_000);
  recorder.record(event());
  await clock.pass(0);
  expect(events()).toMatchObject([
    { series: { count: 2, lastObservedTime: '2027-01-15T08:20:00.000000Z' } },
  ]);
});

test('an event said once is never written again', async () => {
  recorder.record(event());
  await clock.pass(7_200_000);
  expect(cluster.writes).toHaveLength(1);
});

test('events that differ in object, type, reason or note are events of their own', async () => {
  const other = { ...SERVICE, metadata: { ...SERVICE.metadata, uid: 'another' } };
  recorder.record(event());
  for (const fields of [
    { regarding: other },
    { type: 'Warning' },
    { reason: 'Certified' },
    { note: 'again' },
  ] as const) {
    recorder.record(event(fields));
  }
  await recorder.settled();
  expect(events()).toHaveLength(5);
});

test('a series that the API server has forgotten begins anew', async () => {
  recorder.record(event());
  await recorder.settled();
  await cluster
    .client('gc')
    .delete({ kind: 'Event', namespace: 'ns', name: events()[0]!.metadata.name });
  await clock.pass(600_000);
  recorder.record(event());
  await clock.pass(0);
  expect(events()).toMatchObject([{ series: { count: 2 } }]);
  await clock.pass(3_700_000);
  recorder.record(event());
  await clock.pass(0);
  expect(events()).toHaveLength(2);
});

test('a long note is cut where the API server would refuse it', async () => {
  recorder.record(event({ note: 'x'.repeat(2_000) }));
  await recorder.settled();
  expect(events()[0]!.note).toBe(`${'x'.repeat(1_021)}...`);
});

test('an event whose first write was done but not answered exists once', async () => {
  fault = { kind: 'LostAnswer', status: 500 };
  recorder.record(event());
  await clock.pass(0);
  fault = null;
  await clock.pass(1_000);
  expect(events()).toHaveLength(1);
  expect(recorder.counters).toEqual({ recorded: 1, written: 1, dropped: 0 });
});

test('an event that is refused is dropped at once, one that gets no answer after four tries', async () => {
  fault = { kind: 'Status', status: 403, reason: 'Forbidden' };
  recorder.record(event());
  await recorder.settled();
  expect(recorder.counters.dropped).toBe(1);
  fault = { kind: 'Status', status: 503, reason: 'ServiceUnavailable' };
  recorder.record(event({ note: 'other' }));
  await clock.pass(60_000);
  expect(recorder.counters).toEqual({ recorded: 2, written: 0, dropped: 2 });
});

test('a server that is away fills no memory: events beyond a thousand are dropped', async () => {
  fault = { kind: 'Silence' };
  for (let i = 0; i < 1_100; i++) recorder.record(event({ note: String(i) }));
  expect(recorder.counters.dropped).toBe(76);
  stop.abort();
  await clock.pass(30_000);
  await recorder.settled();
});

test('after the end nothing is written', async () => {
  recorder.record(event());
  await recorder.settled();
  recorder.record(event());
  stop.abort();
  recorder.record(event({ note: 'late' }));
  await clock.pass(600_000);
  expect(cluster.writes).toHaveLength(1);
  expect(clock.alarms).toBe(0);
});
