import { test } from 'vitest';
import type { CostTable } from '../../../../crds/wire/state.ts';
import { pathCosts } from '../../../../operator/fleet/model-costs.ts';
import { expectClose } from '../../../support/expect-close.ts';
import { aBundle, aState } from '../../crds/documents.ts';

const [head] = aBundle().heads;
const later = { ...head!, exit: 'later', tensor: 'tensor.later' };
const bundle = { ...aBundle(), heads: [head!, later] };
const cut = aState().cuts[0]!;
const state = {
  ...aState(),
  headCost: { fixedMs: 0, msPerMillionMacs: 0 },
  cuts: [
    { ...cut, tensor: head!.tensor!, msShare: 0.3 },
    { ...cut, tensor: 'tensor.later', msShare: 0.6 },
  ],
};

const table = (cuts: readonly string[], segmentMs: readonly number[]): CostTable => ({
  batchSizes: [1],
  cuts,
  plainMs: [10],
  segmentMs: [segmentMs],
  headMs: [cuts.map(() => 0.1)],
  compactMs: [cuts.map(() => 0)],
  fromInput: true,
});

test('what is run from the input is added up, before it is measured', () => {
  const costs = table([], [10]);
  expectClose(pathCosts(bundle, { ...state, costs }, 1), [0.3, 0.9, 1.9], { rel: 1e-12 });
});

test('and after, without the cuts that only samples have', () => {
  const costs = table([head!.tensor!, 'tensor.sampled', 'tensor.later'], [3, 5, 6, 10]);
  expectClose(pathCosts(bundle, { ...state, costs }, 1), [0.31, 0.92, 1.92], { rel: 1e-12 });
});
