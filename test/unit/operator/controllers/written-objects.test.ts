import { expect, test } from 'vitest';
import { WrittenObjects } from '../../../../operator/controllers/cached-model-service/written-objects.ts';
import type { KubeObject } from '../../../../operator/kube/api.ts';

const NAME = { kind: 'Service', name: 'vision' };

function aVersion(resourceVersion: string, uid = 'a'): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'vision', uid, resourceVersion } };
}

test('an answered write is the truth until the cache has it', () => {
  const written = new WrittenObjects();
  written.wrote(aVersion('2'), 0);
  expect(written.latest(NAME, aVersion('1'), 100)).toEqual(aVersion('2'));
  expect(written.latest(NAME, undefined, 100)).toEqual(aVersion('2'));
  const change = { key: 'ml/vision', object: aVersion('2'), previous: aVersion('1') };
  written.heard(change);
  expect(written.latest(NAME, aVersion('3'), 100)).toEqual(aVersion('3'));
});

test('a version from before the write that comes late does not end it', () => {
  const written = new WrittenObjects();
  written.wrote(aVersion('3'), 0);
  written.heard({ key: 'ml/vision', object: aVersion('2'), previous: aVersion('1') });
  expect(written.latest(NAME, aVersion('2'), 100)).toEqual(aVersion('3'));
});

test('a cache that told the write before it was answered is believed in what it told since', () => {
  const written = new WrittenObjects();
  written.heard({ key: 'ml/vision', object: aVersion('2'), previous: aVersion('1') });
  written.heard({ key: 'ml/vision', object: aVersion('3'), previous: aVersion('2') });
  written.wrote(aVersion('2'), 0);
  expect(written.untilMs()).toBe(Infinity);
  expect(written.over([aVersion('1')])).toEqual([aVersion('2')]);
  expect(written.latest(NAME, aVersion('3'), 100)).toEqual(aVersion('3'));
});

test('after the pass nothing is kept of what a cache has told, and all of what it has not', () => {
  const written = new WrittenObjects();
  written.heard({ key: 'ml/vision', object: aVersion('2'), previous: aVersion('1') });
  written.wrote(aVersion('2'), 0);
  written.passed();
  expect(written.over([])).toEqual([]);
  written.wrote(aVersion('4'), 0);
  written.passed();
  expect(written.over([])).toEqual([aVersion('4')]);
});

test('an answer that contradicts ends belief in a write', () => {
  const written = new WrittenObjects();
  written.wrote(aVersion('2'), 0);
  written.forget(NAME);
  expect(written.latest(NAME, aVersion('3'), 100)).toEqual(aVersion('3'));
});

test('a cache that skipped the write is believed again after five seconds', () => {
  const written = new WrittenObjects();
  written.wrote(aVersion('2'), 0);
  expect(written.untilMs()).toBe(5_000);
  expect(written.latest(NAME, aVersion('4'), 5_000)).toEqual(aVersion('4'));
  expect(written.untilMs()).toBe(Infinity);
});

test('a deleted object stays away until the cache lacks it, another of its name is seen at once', () => {
  const written = new WrittenObjects();
  written.deleted(aVersion('2'), 0);
  expect(written.latest(NAME, aVersion('2'), 100)).toBeNull();
  expect(written.latest(NAME, aVersion('9', 'b'), 100)).toEqual(aVersion('9', 'b'));
  written.deleted(aVersion('2'), 0);
  written.heard({ key: 'ml/vision', object: null, previous: aVersion('2') });
  expect(written.latest(NAME, undefined, 100)).toBeNull();
  expect(written.untilMs()).toBe(Infinity);
});

test('what a pass wrote stands in the place of what it began with', () => {
  const written = new WrittenObjects();
  written.wrote(aVersion('2'), 0);
  expect(written.over([aVersion('1')])).toEqual([aVersion('2')]);
  written.deleted(aVersion('2'), 0);
  expect(written.over([aVersion('1')])).toEqual([]);
});
