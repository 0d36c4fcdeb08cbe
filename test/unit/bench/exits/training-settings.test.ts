import { expect, test } from 'vitest';
import { trainingSettings } from '../../../bench/exits/train-heads.ts';

test('heads are trained by the settings of a service that names a budget alone', () => {
  expect(trainingSettings(0.01)).toEqual({
    ...{ budget: 0.01, maxActiveExits: 3, minSaving: 0.03, maxOverhead: 0.05 },
    maxBundleBytes: 921_600,
  });
});
