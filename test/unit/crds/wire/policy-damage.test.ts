import fc from 'fast-check';
import { test } from 'vitest';

import { parsePolicy, serializePolicy } from '../../../../crds/wire/policy.ts';
import {
  expectRefusedOrWhole,
  SEED,
  withDamagedCharacters,
  withOneFieldDamaged,
} from '../damage.ts';
import { aPolicy } from '../documents.ts';

test('a policy that differs in one field is refused or read as it stands', () => {
  for (const text of withOneFieldDamaged(serializePolicy(aPolicy()))) {
    expectRefusedOrWhole(text, parsePolicy(text), serializePolicy);
  }
});

test('a policy with damaged characters is refused or read as it stands', () => {
  fc.assert(
    fc.property(withDamagedCharacters(serializePolicy(aPolicy())), (text) => {
      expectRefusedOrWhole(text, parsePolicy(text), serializePolicy);
    }),
    { seed: SEED, numRuns: 3000 },
  );
});
