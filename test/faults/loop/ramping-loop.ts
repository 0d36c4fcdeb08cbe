import type { LoopOptions, LoopWorld } from './loop-world.ts';
import { createLoop } from './loop-world.ts';

const HOUR = 3_600_000;
/** Long holds: what happens in between happens in the middle of a step. */
const SLOW_STEPS = {
  rollout: {
    steps: [
      { share: '25%', hold: '10m' },
      { share: '100%', hold: '1m' },
    ],
  },
};

/** A service whose first heads take a quarter of the traffic. */
export async function rampingLoop(options: LoopOptions = {}): Promise<LoopWorld> {
  const loop = await createLoop({ ...options, spec: { ...SLOW_STEPS, ...options.spec } });
  await loop.until('a ramp', () => loop.ledger()?.stage === 'Ramping', 2 * HOUR);
  await loop.pass(60_000);
  return loop;
}

/** Of the step of the candidate; undefined: none takes traffic. */
export function shareOf(loop: LoopWorld): number | undefined {
  return loop.ledger()?.candidate?.ramp?.share;
}

/** Whether exits may answer, on each pod that is there. */
export function enabledOn({ pods, world }: LoopWorld): unknown[] {
  const there = new Set(world.cluster.objects('Pod').map(({ metadata }) => metadata.uid));
  return [...pods.values()]
    .filter(({ fake }) => there.has(fake.pod.uid))
    .map(({ policy }) => policy?.exitsEnabled);
}
