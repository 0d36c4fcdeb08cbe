import { describe, expect, test } from 'vitest';

import type { Condition } from '../../../../../crds/v1alpha1/conditions.ts';
import type { ServiceStatus } from '../../../../../crds/v1alpha1/service-status.ts';
import type { LiveObject } from '../../../../../operator/plan/live-object.ts';
import {
  contenderManager,
  describeForeign,
  planForeignConditions,
  planWithdrawals,
} from '../../../../../operator/plan/status/foreign.ts';
import { INSTALLATION } from '../builders.ts';
import { aCondition, BEFORE, NOW_MS } from './builders.ts';

const NOW = '2026-11-25T10:00:00Z';
const anObject = (managers: readonly (string | undefined)[] = [], generation = 2): LiveObject => ({
  apiVersion: 'layercache.io/v1alpha1',
  kind: 'CachedModelService',
  metadata: {
    name: 'vision',
    generation,
    managedFields: managers.map((manager) => (manager === undefined ? {} : { manager })),
  },
});
const facts = { object: anObject(), foreign: 'elsewhere/other', own: INSTALLATION, nowMs: NOW_MS };
const message = describeForeign({ ...facts, status: {} });
const contested = (fields: Partial<Condition> = {}): Condition =>
  aCondition('Contested', {
    ...{ reason: 'ForeignOperator', message, observedGeneration: 2 },
    ...fields,
  });
const planned = (status: ServiceStatus): string[] =>
  planForeignConditions({ ...facts, status }).map(
    (one) => `${one.type} ${one.status} ${one.lastTransitionTime}`,
  );

test('a contender says who writes, what it does, and both ways out', () => {
  expect(message).toBe(
    'Installation elsewhere/other of the operator writes for this service, so installation layercache-system/layercache does nothing. Remove one of the two installations. If elsewhere/other is gone, remove annotation layercache.io/installation from ConfigMap vision-policy.',
  );
});

describe('the conditions of a contender', () => {
  test('are one while the spec is followed, kept as it was said', () => {
    expect(planned({ observedGeneration: 2 })).toEqual([`Contested True ${NOW}`]);
    const told = { observedGeneration: 2, conditions: [contested()] };
    expect(planned(told)).toEqual([`Contested True ${BEFORE}`]);
    const object = { ...facts.object, metadata: { name: 'vision' } };
    const [unversioned] = planForeignConditions({ ...facts, object, status: {} });
    expect(unversioned?.observedGeneration).toBe(0);
  });

  test('contradict Ready and Valid when the spec has not been followed for a minute since it was said', () => {
    const ready = aCondition('Ready');
    const conditions = [ready, contested()];
    expect(planned({ observedGeneration: 1, conditions })).toEqual([
      `Ready False ${NOW}`,
      `Valid False ${NOW}`,
      `Stalled True ${NOW}`,
      `Contested True ${BEFORE}`,
    ]);
    const fresh = [ready, contested({ lastTransitionTime: '2026-11-25T09:59:01Z' })];
    expect(planned({ observedGeneration: 1, conditions: fresh })).toHaveLength(1);
    // Of an older generation: said anew.
    const older = [ready, contested({ observedGeneration: 1 })];
    expect(planned({ observedGeneration: 1, conditions: older })).toEqual([
      `Contested True ${NOW}`,
    ]);
  });

  test('are none while another contender speaks', () => {
    expect(planned({ conditions: [contested({ message: 'a third one' })] })).toEqual([]);
  });
});

describe('what contenders said is taken back', () => {
  const other = 'layercache-contender/elsewhere/other';
  const own = contenderManager(INSTALLATION);
  const plan = (
    managers: readonly (string | undefined)[],
    conditions: readonly Condition[] = [],
  ): ReturnType<typeof planWithdrawals> =>
    planWithdrawals({
      ...facts,
      object: anObject(managers),
      status: { conditions: [...conditions] },
    });
  const recent = contested({ lastTransitionTime: '2026-11-25T09:55:00Z' });

  test('at once when it was said by the installation that writes now', () => {
    expect(plan([own, 'layercache-operator', undefined], [recent])).toEqual({
      withdraw: [own],
      retryMs: null,
    });
  });
  test('of others after ten minutes', () => {
    expect(plan([other], [recent])).toEqual({ withdraw: [], retryMs: 300_000 });
    expect(plan([other], [contested()])).toEqual({ withdraw: [other], retryMs: null });
    expect(plan([other])).toEqual({ withdraw: [other], retryMs: null });
  });
  test('of others at once when writing proves it wrong', () => {
    const wrong = aCondition('Ready', { status: 'False', reason: 'ForeignOperator' });
    expect(plan([other], [recent, wrong]).withdraw).toEqual([other]);
  });
  test('never when there is nothing', () => {
    const bare = { apiVersion: '', kind: '', metadata: { name: 'vision' } };
    expect(planWithdrawals({ ...facts, object: bare, status: {} })).toEqual({
      withdraw: [],
      retryMs: null,
    });
  });
});
