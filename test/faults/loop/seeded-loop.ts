// Traffic, trainings and rollouts under faults from a seed: what pods are told stays lawful throughout, and heads serve in the end.
import { expect } from 'vitest';
import { certificateHolds } from '../../../server/core/certificate.ts';
import type { Policy, PolicyTrack } from '../../../crds/wire/policy.ts';
import { seededRandom, type SeededRandom } from '../../support/seeded-random.ts';
import { CALM, seededFaults } from '../../support/simulated-api-faults.ts';
import { expectNeverAhead } from '../sim/never-ahead.ts';
import { ref } from '../sim/services.ts';
import { createLoop, type LoopWorld } from './loop-world.ts';
import { enabledOn } from './ramping-loop.ts';

const HOUR = 3_600_000;
const TROUBLE_MS = HOUR;
const RATES = { ...CALM, delay: 0.2, refuse: 0.05, lose: 0.05, stale: 0.05, crash: 0.001 };

type Act = (loop: LoopWorld, random: SeededRandom) => Promise<void>;

const ACTS: readonly Act[] = [
  ({ run }) => {
    run.processes().at(-1)!.client.crash();
    return Promise.resolve();
  },
  async ({ world }, random) => {
    const pods = world.cluster.objects('Pod');
    const pod = pods[Math.floor(random.uniform() * pods.length)];
    if (pod !== undefined) await world.user.delete(ref('Pod', pod.metadata.name));
  },
  (loop, random) => {
    loop.rowsPerSecond = 10 + Math.floor(random.uniform() * 60);
    return Promise.resolve();
  },
  async ({ world }) => {
    await world.user.delete(ref('ConfigMap', 'vision-policy'));
  },
];

/** An hour of trouble, then peace. */
export async function runSeededLoop(seed: number): Promise<void> {
  const random = seededRandom([seed, 11]);
  const drawn = seededFaults(seededRandom([seed, 12]), RATES);
  const state = { isOver: false };
  const loop = await createLoop({
    seed,
    faults: { onCall: (call) => (state.isOver ? null : drawn.onCall!(call)) },
  });
  while (loop.world.clock.monotonicMs() < TROUBLE_MS) {
    await loop.pass(10_000 * (1 + Math.floor(random.uniform() * 20)));
    expectLawful(loop);
    await ACTS[Math.floor(random.uniform() * ACTS.length)]!(loop, random);
  }
  state.isOver = true;
  loop.rowsPerSecond = 40;
  await loop.until('serving', () => isServing(loop), 4 * HOUR);
  expectLawful(loop);
  expect(loop.run.processes().flatMap(({ crashes }) => crashes)).toEqual([]);
  loop.world.close();
}

function isServing(loop: LoopWorld): boolean {
  return loop.ledger()?.stage === 'Serving' && enabledOn(loop).every((isOn) => isOn === true);
}

/** No pod may answer early but by heads whose certificate holds when it is computed again, at a lambda that it covers. */
function expectLawful(loop: LoopWorld): void {
  expectNeverAhead(loop.world);
  for (const { policy } of loop.pods.values()) {
    if (!policy?.exitsEnabled) continue;
    const tracks = [policy.stable, policy.candidate].filter((track) => track !== null);
    for (const track of tracks) expect(isLawful(track, policy), JSON.stringify(track)).toBe(true);
    expect(tracks.some(({ lambdaIndex }) => lambdaIndex !== null)).toBe(true);
  }
}

function isLawful(track: PolicyTrack, { budget, confidence }: Policy): boolean {
  const { certificate, lambdaIndex, headRevision } = track;
  if (lambdaIndex === null) return true;
  if (certificate === null || !certificateHolds(certificate, budget, confidence)) return false;
  const covered = certificate.lambdaIndex ?? lambdaIndex;
  return lambdaIndex <= covered && (certificate.headRevision ?? headRevision) === headRevision;
}
