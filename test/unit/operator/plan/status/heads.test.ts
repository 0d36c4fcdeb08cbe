import { describe, expect, test } from 'vitest';
import type { ServiceStatus } from '../../../../../crds/v1alpha1/service-status.ts';
import type { LifecycleFacts } from '../../../../../operator/plan/status/facts.ts';
import { planStatus } from '../../../../../operator/plan/status/plan-status.ts';
import { toVerdict } from '../../../../../operator/plan/status/verdict.ts';
import { BEFORE, someFacts } from './builders.ts';

const NOTHING: LifecycleFacts = {
  exitsActive: null,
  withinBudget: null,
  rolloutSucceeded: null,
  trained: null,
  exitedShares: new Map(),
  request: null,
  status: { heads: undefined, rollout: undefined, accuracy: undefined, training: undefined },
};

const SERVING: LifecycleFacts = {
  ...NOTHING,
  exitsActive: toVerdict('True', 'Serving', 'Exit early may answer'),
  withinBudget: toVerdict('True', 'Certified', '3 in 1000'),
  rolloutSucceeded: toVerdict('True', 'Promoted', 'It passed its last step'),
  trained: toVerdict('True', 'Completed', 'New heads'),
  exitedShares: new Map([['early', '31%']]),
  status: { ...NOTHING.status, heads: { stable: { revision: 'vision-1' } } },
};

const reasons = ({ conditions }: ServiceStatus): Readonly<Record<string, string>> =>
  Object.fromEntries((conditions ?? []).map(({ type, reason }) => [type, reason]));

const OF_HEADS = ['ExitsActive', 'WithinBudget', 'RolloutSucceeded', 'Trained'];

function said(lifecycle: LifecycleFacts | 'Held' | null, previous: ServiceStatus = {}): unknown[] {
  const { status } = planStatus(someFacts({ lifecycle, previous }));
  return OF_HEADS.map((type) => reasons(status)[type]);
}

describe('conditions of heads', () => {
  test('are what the lifecycle says', () => {
    expect(said(SERVING)).toEqual(['Serving', 'Certified', 'Promoted', 'Completed']);
  });

  test('without a word of it are those of a service without heads', () => {
    const plain = ['CollectingSamples', 'NoCertificate', 'NoRollout', undefined];
    expect(said(null)).toEqual(plain);
    expect(said(NOTHING)).toEqual(plain);
  });

  test('stay while nothing can be decided, also if nothing was said before', () => {
    const { status } = planStatus(someFacts({ lifecycle: SERVING }));
    expect(said('Held', status)).toEqual(['Serving', 'Certified', 'Promoted', 'Completed']);
    expect(said('Held')).toEqual(['CollectingSamples', 'NoCertificate', 'NoRollout', undefined]);
  });

  test('never stand before what the spec rules out', () => {
    const spec = { ...someFacts().spec!, exitMode: 'Disabled' as const };
    const { status } = planStatus(someFacts({ lifecycle: SERVING, spec }));
    expect(reasons(status).ExitsActive).toBe('Disabled');
  });
});

describe('fields of heads', () => {
  test('say which heads serve and what leaves where', () => {
    const { status } = planStatus(someFacts({ lifecycle: SERVING }));
    expect(status.heads).toEqual({ stable: { revision: 'vision-1' } });
    expect(status.exits).toMatchObject([{ name: 'early', exitedShare: '31%' }]);
    expect(status.exits?.[0]).not.toHaveProperty('reason');
  });

  test('go with a rollout that has ended', () => {
    const previous = { rollout: { stage: 'Ramping' as const } };
    expect(planStatus(someFacts({ lifecycle: SERVING, previous })).status.rollout).toBeUndefined();
  });

  test('stay while nothing can be decided', () => {
    const { status } = planStatus(someFacts({ lifecycle: SERVING }));
    const held = planStatus(someFacts({ lifecycle: 'Held', previous: status })).status;
    expect(held.heads).toEqual(status.heads);
    expect(held.exits).toEqual(status.exits);
    const fresh = planStatus(someFacts({ lifecycle: 'Held' })).status;
    expect(fresh.exits).toMatchObject([{ name: 'early', reason: 'NoHeads' }]);
  });
});

describe('the last request', () => {
  const ofHeads = { value: 'abort:a', result: 'Done', message: '', time: BEFORE } as const;
  const ofKeys = { value: 'rotate', result: 'Done', message: '' } as const;
  const shown = (request: ServiceStatus['request'], heads: LifecycleFacts['request']): unknown =>
    planStatus(someFacts({ request, lifecycle: { ...NOTHING, request: heads } })).status.request;

  test('is the later of those about keys and heads', () => {
    expect(shown(undefined, ofHeads)).toEqual(ofHeads);
    expect(shown({ ...ofKeys, time: '2026-11-25T09:30:00Z' }, ofHeads)).toMatchObject(ofKeys);
    expect(shown({ ...ofKeys, time: '2026-11-25T08:00:00Z' }, ofHeads)).toEqual(ofHeads);
    expect(shown({ ...ofKeys, time: BEFORE }, null)).toMatchObject(ofKeys);
  });
});
