import { expect, test } from 'vitest';
import { encodeHeadBundle } from '../../../../crds/wire/head-bundle.ts';
import type { Result } from '../../../../crds/wire/result.ts';
import type { AdminAnswer, AdminCall } from '../../../../operator/fleet/admin-client.ts';
import type { PodView } from '../../../../operator/fleet/fleet-pod.ts';
import { createRemoteBundles, isBundle } from '../../../../operator/fleet/remote-bundles.ts';
import { unheardPod } from '../../../../operator/fleet/poll-pod.ts';
import { fakeKubeClock } from '../../../support/kube-clock.ts';
import { digestOf } from '../../../support/test-server.ts';
import { aBundle, anAcknowledgement, aState } from '../../crds/documents.ts';

const BYTES = encodeHeadBundle(aBundle());
const DIGEST = digestOf(BYTES);
const KEY = 'ml/vision';
const URI = 's3://heads/1';

type Answers = (podUid: string, call: AdminCall) => Result<AdminAnswer>;

const json = (body: object): Result<AdminAnswer> => ({
  ok: true,
  value: { status: 200, body: Buffer.from(JSON.stringify(body)) },
});
const stored = { result: 'Stored', reason: '', message: '' };
const bytes: Result<AdminAnswer> = { ok: true, value: { status: 200, body: Buffer.from(BYTES) } };
const SILENT: Result<AdminAnswer> = { ok: false, code: 'NoAnswer', message: 'no answer' };

function aView(uid: string, headRevisions: readonly string[] = []): PodView {
  const pod = { uid, name: `pod-${uid}`, ip: '10.0.0.1', adminGeneration: 1 };
  return {
    ...unheardPod(pod),
    state: { loaded: true, state: { ...aState(), heads: [] } },
    acknowledgement: anAcknowledgement({ headRevisions, knownAnswers: [] }),
  };
}

function setUp(answers: Answers, pods: readonly PodView[] = [aView('a'), aView('b')]) {
  const clock = fakeKubeClock();
  const calls: string[] = [];
  const changes: string[] = [];
  const store = createRemoteBundles({
    ...{ clock, signal: new AbortController().signal },
    pods: () => pods,
    call: (_, podUid, call) => {
      calls.push(`${podUid} ${call.method}`);
      return Promise.resolve(answers(podUid, call));
    },
    onChange: (key) => changes.push(key),
  });
  return { clock, calls, changes, store, found: () => store.remoteBundle(KEY, DIGEST) };
}

test('a pod that has the heads is asked for them, and nothing but their digest is believed', async () => {
  let answer: Result<AdminAnswer> = { ok: true, value: { status: 200, body: Buffer.from('x') } };
  const { store, calls, found, clock } = setUp(() => answer, [aView('a'), aView('b', [DIGEST])]);
  store.wantBundles(KEY, [{ headRevision: DIGEST, uri: URI }]);
  await store.pollBundles();
  expect(calls).toEqual(['b GET']);
  expect(found()).toMatchObject({ reason: 'DigestMismatch' });
  answer = bytes;
  await clock.pass(15_000);
  await store.pollBundles();
  expect(isBundle(found())).toBe(true);
  await clock.pass(60_000);
  await store.pollBundles();
  expect(calls).toHaveLength(2);
});

test('where no pod has them one is told to fetch them; the next try asks another', async () => {
  let isThere = false;
  const missing = { result: 'Missing', reason: 'BundleMissing', message: 'it answers 403.' };
  const { store, calls, changes, found, clock } = setUp((_, { method }) =>
    method === 'GET' ? bytes : json(isThere ? stored : missing),
  );
  store.wantBundles(KEY, [{ headRevision: DIGEST, uri: URI }]);
  await store.pollBundles();
  expect(found()).toEqual({ reason: 'BundleMissing', message: 'Pod pod-b: it answers 403.' });
  await store.pollBundles();
  expect(changes).toEqual([KEY]);
  isThere = true;
  await clock.pass(15_000);
  await store.pollBundles();
  expect(calls).toEqual(['b POST', 'a POST', 'a GET']);
  expect(isBundle(found())).toBe(true);
  expect(changes).toEqual([KEY, KEY]);
});

test.each<[string, Answers, readonly PodView[] | undefined, object | null]>([
  ['without a pod nothing is known', () => SILENT, [], null],
  ['a pod that is still loading is not asked', () => SILENT, [unheardPod(aView('a').pod)], null],
  [
    'a pod that is slow has not brought them yet',
    () => SILENT,
    undefined,
    { reason: 'BundleMissing' },
  ],
  [
    'an answer that is none is no word',
    () => json({ result: 'Odd' }),
    undefined,
    { reason: 'BundleMissing' },
  ],
  ['a holder that does not answer is asked again soon', () => SILENT, [aView('a', [DIGEST])], null],
])('%s', async (_, answers, pods, told) => {
  const { store, found } = setUp(answers, pods);
  store.wantBundles(KEY, [{ headRevision: DIGEST, uri: URI }]);
  await store.pollBundles();
  if (told === null) expect(found()).toBeNull();
  else expect(found()).toMatchObject(told);
});

test('what a trainer gave needs no pod, and heads that nobody wants are dropped', async () => {
  const { store, calls, found } = setUp(() => SILENT);
  store.keepBundle(KEY, { headRevision: DIGEST, bytes: BYTES, bundle: aBundle() });
  store.wantBundles(KEY, [{ headRevision: DIGEST, uri: URI }]);
  await store.pollBundles();
  expect(calls).toEqual([]);
  expect(isBundle(found())).toBe(true);
  store.wantBundles(KEY, []);
  expect(found()).toBeNull();
});
