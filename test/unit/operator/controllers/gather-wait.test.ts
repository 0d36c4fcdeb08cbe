import { expect, test } from 'vitest';
import { gatherWaitMs } from '../../../../operator/controllers/cached-model-service/gather-wait.ts';

test.each([
  ['what tells of a pod itself is soon acted on', 'Pod', 10, 105],
  ['the first pod of a service waits for no other', 'Pod', 0, 100],
  ['figures wait for a round to come in', 'Figures', 10, 505],
  ['a thousand pods are gathered longer, since a pass looks at all of them', 'Pod', 1_000, 600],
] as const)('%s', (_, change, pods, waitMs) => {
  expect(gatherWaitMs(change, pods)).toBe(waitMs);
});
