import type { Track } from '../../../crds/wire/evidence.ts';
import type { Policy } from '../../../crds/wire/policy.ts';
import { planPolicy } from '../../../server/plan-policy.ts';
import { createSafety, type SwitchOffCause } from '../../../server/safety.ts';
import type { Serving } from '../../../server/serving.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { FAKE_COSTS } from '../../support/fake-engine.ts';
import { aPolicy, aTrack, fakeBundle } from '../../support/test-server.ts';

/** Head revisions that a server holds. */
export const A = `sha256:${'a'.repeat(64)}`;
export const B = `sha256:${'b'.repeat(64)}`;
const BUNDLES = new Map([
  [A, fakeBundle(1)],
  [B, fakeBundle(2)],
]);
export const POLICY = aPolicy({ stable: aTrack(A), auditRate: 1 });

export function aSafety() {
  const clock = fakeClock();
  const causes: SwitchOffCause[] = [];
  const safety = createSafety({ clock, onChange: (cause) => causes.push(cause) });
  return { clock, causes, safety };
}

export function servingOf(policy: Policy, more: Partial<Serving> = {}): Serving {
  return {
    policy,
    planId: 1,
    plan: planPolicy(policy, BUNDLES, { beforeCut: (_, exits) => exits }),
    costs: FAKE_COSTS,
    knownAnswers: [],
    candidateShare: 0,
    held: new Set<Track>(),
    ...more,
  };
}
