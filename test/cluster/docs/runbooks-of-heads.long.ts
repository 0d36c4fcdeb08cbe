// Runbooks about heads, followed to the letter on a real node under traffic: a training that fails, a ramp that stands, a candidate
// that is taken back.
import { afterAll, beforeAll, expect, describe, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { whyUnavailable } from '../harness/availability.ts';
import { startTraffic } from '../loop/example-traffic.ts';
import type { Traffic } from '../loop/row-traffic.ts';
import { readObject } from '../pods/node-objects.ts';
import { startOnCall, type OnCall } from './on-call.ts';

const unavailable = await whyUnavailable('node');
const LONG_MS = 1_810_000;
/** All that one pod holds in memory, some 8,000 rows, after about three minutes. */
const COLLECTED_MS = 600_000;
/** A training takes a minute or two of a processor that has nothing else to do; then audits. */
const TRAINED_MS = 1_500_000;
const PLACE = { namespace: 'ml', name: 'fashion' } as const;
/** Up to 50 rows a second are audited while exits are off. */
const RATE = 48;

describe.skipIf(unavailable !== null)('a person on call, for heads', () => {
  let onCall: OnCall;
  let traffic: Traffic;

  const patch = async (spec: object): Promise<void> => {
    const text = JSON.stringify({ spec });
    await onCall.shell.run(`kubectl -n ml patch cms fashion --type merge -p '${text}'`);
  };

  beforeAll(async () => {
    onCall = await startOnCall();
    // A budget that few audits show to be kept, and a trainer that this much memory ends.
    await patch({
      accuracy: { maxDisagreement: '5%' },
      heads: {
        training: { cooldown: '1m', resources: { limits: { memory: '48Mi' } } },
      },
      rollout: { steps: [{ share: '10%', hold: '30s' }, { share: '100%' }] },
    });
    const { node } = onCall;
    const { spec } = await readObject<{ spec: { clusterIP: string } }>(node, {
      kind: 'Service',
      ...PLACE,
    });
    const endpoint = { host: spec.clusterIP, port: 80 };
    traffic = await startTraffic(node, endpoint, { model: 'fashion', rate: RATE });
  }, LONG_MS);
  afterAll(async () => {
    await (traffic as Traffic | undefined)?.stop();
    await (onCall as OnCall | undefined)?.stop();
  });

  test(
    'reads that the trainer ran out of memory',
    async () => {
      // It takes some minutes to collect rows.
      await eventually(async () => {
        const jobs = await onCall.shell.run('kubectl -n ml get jobs -o name');
        expect(jobs).toContain('job.batch/fashion-train-1');
      }, COLLECTED_MS);
      const reason = /Reason: +Failed\n +Status: +False\n +Type: +Trained/;
      await onCall.untilRead('LayercacheTrainingFailing', [reason, /OOMKilled|memory/]);
      const limits = { memory: '2Gi' };
      await patch({ heads: { training: { resources: { limits } } }, rollout: { paused: true } });
    },
    LONG_MS,
  );

  test(
    'reads that a step is held by request, and goes on without it',
    async () => {
      const ramp = /The candidate takes 10% of the traffic\. Paused by request\./;
      await onCall.untilRead('LayercacheRolloutStuck', [ramp], { withinMs: TRAINED_MS });
    },
    LONG_MS,
  );

  test(
    'reads that a person took the candidate back, and that the heads are remembered',
    async () => {
      await onCall.shell.run('kubectl layercache rollout abort fashion -n ml');
      await onCall.untilRead('LayercacheRolloutAborted', [
        /AbortedByUser +\S+ +layercache/,
        /Reason: +AbortedByUser/,
      ]);
      await eventually(async () => {
        const { status } = await readObject<{ status: { heads?: { failed?: unknown[] } } }>(
          onCall.node,
          { kind: 'CachedModelService', ...PLACE },
        );
        expect(status.heads?.failed).toHaveLength(1);
      }, 60_000);
      expect(traffic.failures).toEqual([]);
    },
    LONG_MS,
  );
});
