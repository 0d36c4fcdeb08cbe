import { expect, test } from 'vitest';

import { REASON_GROUPS, REASONS } from '../../../../crds/v1alpha1/reasons.ts';

test('each reason stands in one group and is UpperCamelCase', () => {
  const names = Object.values(REASON_GROUPS).flatMap((group) => Object.keys(group));
  expect(names.sort()).toEqual(Object.keys(REASONS).sort());
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[A-Z][A-Za-z]{2,63}$/);
});

test('each reason has one defining sentence, and what to do is a sentence or nothing', () => {
  for (const [name, { meaning, action }] of Object.entries(REASONS)) {
    expect(meaning, name).toMatch(/^(?!.*\.\s[A-Z]).+\.$/);
    if (action !== '') expect(action, name).toMatch(/^[A-Z].*\.$/);
  }
});

test('reasons that people switch on in the columns fit them', () => {
  // api.md 5: the Exits column shows at most 17 characters.
  const shown = [
    'NoHeads',
    'CollectingSamples',
    'Training',
    'Shadowing',
    'NotCertified',
    'RecommendOnly',
  ];
  for (const name of shown) {
    expect(Object.keys(REASONS)).toContain(name);
    expect(name.length).toBeLessThanOrEqual(17);
  }
});
