import { expect, test } from 'vitest';
import { emptyLedger } from '../../../../operator/lifecycle/ledger.ts';
import { policyContent } from '../../../../operator/lifecycle/policy-content.ts';
import { readTick } from '../../../../operator/lifecycle/tick.ts';
import type { BackboneFacts } from '../../../../operator/lifecycle/types.ts';
import { aBackbone, aService } from '../../../support/builders.ts';
import { aLoadedInput } from '../../../support/ledger-builders.ts';

function contentOf(
  settings: Parameters<typeof aService>[0],
  backbone: BackboneFacts = aBackbone(),
) {
  const input = aLoadedInput({ settings: aService(settings), backbone });
  return policyContent(emptyLedger(), readTick(emptyLedger(), input, backbone).tick);
}

test('an agreement is named where it is of boxes, and only there, so that servers of before read the rest', () => {
  expect(contentOf({ agreement: 'F1' })).toMatchObject({ agreement: 'F1' });
  expect(contentOf({ agreement: 'Strict' })).not.toHaveProperty('agreement');
});

test('an exit that compares frames has its header, and no other exit has one', () => {
  const [first, ...others] = aBackbone().exits;
  const exits = [{ ...first!, sourceHeader: 'x-camera' }, ...others];
  const content = contentOf({}, aBackbone({ exits }));
  expect(content.exits[0]).toMatchObject({ sourceHeader: 'x-camera' });
  expect(content.exits[1]).not.toHaveProperty('sourceHeader');
});
