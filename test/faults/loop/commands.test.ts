// What a person's commands do to an operator that decides, in simulated time.
import { expect, test } from 'vitest';
import type { Cluster } from '../../../operator/commands/cluster/cluster.ts';
import { showExplanation } from '../../../operator/commands/explain/show-explanation.ts';
import { switchExitsOff, switchExitsOn } from '../../../operator/commands/exits/switch-exits.ts';
import { createPaint } from '../../../operator/commands/output/paint.ts';
import { pauseRollout, resumeRollout } from '../../../operator/commands/rollout/hold-rollout.ts';
import { sendRequest } from '../../../operator/commands/rollout/send-request.ts';
import { conditionOf } from '../sim/services.ts';
import { NAMESPACE } from '../sim/world.ts';
import { requestOf } from './loop-service.ts';
import { createLoop, type LoopWorld } from './loop-world.ts';
import { enabledOn, rampingLoop, shareOf } from './ramping-loop.ts';

const HOUR = 3_600_000;
const NAME = 'vision';
const wait = { timeoutMs: 120_000, interrupt: new AbortController().signal };

function clusterOf({ world }: LoopWorld): Cluster {
  return {
    api: world.user,
    clock: world.clock,
    server: 'simulated',
    context: 'simulated',
    namespace: NAMESPACE,
    listNamespace: NAMESPACE,
    raw: () => Promise.resolve({ status: 403, text: '', serverMs: null }),
    close: () => undefined,
  };
}

/** Runs a command while the simulated time goes on. */
async function during<T>(loop: LoopWorld, act: (cluster: Cluster) => Promise<T>): Promise<T> {
  const [outcome] = await Promise.allSettled([act(clusterOf(loop)), loop.pass(130_000)]);
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

async function explain(loop: LoopWorld): Promise<string> {
  const { table } = await showExplanation(clusterOf(loop), NAME, createPaint(false));
  return table(false).join('\n');
}

test('pause holds a step, resume lets it go on, promote ends it with a certificate, exits go off and on', async () => {
  const loop = await rampingLoop();
  expect(await during(loop, (cluster) => pauseRollout(cluster, NAME, wait))).toContain(
    'The step is held',
  );
  expect(conditionOf(loop.world, 'RolloutSucceeded')).toBe('Unknown Paused');
  expect(await explain(loop)).toContain('Annotation layercache.io/rollout holds it.');
  await loop.pass(900_000);
  expect(shareOf(loop)).toBe(0.25);
  expect(await during(loop, (cluster) => resumeRollout(cluster, NAME, wait))).toBe(
    'The rollout goes on.',
  );

  const promoted = await during(loop, (cluster) => sendRequest(cluster, NAME, 'promote', wait));
  expect(promoted.result).toBe('Done');
  // What serves is the candidate of before, whatever is raised next.
  expect(loop.ledger()?.stable?.certificate).not.toBeNull();
  expect(await explain(loop)).toContain('exits are on (Serving)');

  expect(await during(loop, (cluster) => switchExitsOff(cluster, NAME, null, wait))).toContain(
    'Exits are off',
  );
  expect(enabledOn(loop)).toEqual([false, false]);
  expect(await explain(loop)).toContain('Annotation layercache.io/exits switches exits off');
  expect(await during(loop, (cluster) => switchExitsOn(cluster, NAME, wait))).toContain(
    'Exits are on (Serving)',
  );
  expect(enabledOn(loop)).toEqual([true, true]);
  loop.world.close();
}, 120_000);

test('a candidate without a certificate is not promoted, and can be asked for again after the refusal', async () => {
  const loop = await createLoop();
  await loop.pass(60_000);
  expect(await explain(loop)).toContain('exits are off (CollectingSamples)');
  await loop.until('shadowing', () => loop.ledger()?.stage === 'Shadowing', 2 * HOUR);
  for (let times = 0; times < 2; times++) {
    const asked = during(loop, (cluster) => sendRequest(cluster, NAME, 'promote', wait));
    await expect(asked).rejects.toThrow(/nothing uncertified serves\. .*\[RequestRefused\]$/);
    if (loop.ledger()?.stage !== 'Shadowing') break;
  }
  expect(requestOf(loop)).toMatchObject({ result: 'Refused' });
  loop.world.close();
}, 120_000);
