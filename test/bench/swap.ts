import { driveServer } from './closed-loop.ts';
import { atLeast, atMost, seen, type Figure } from './figure.ts';
import { putInForce } from './put-in-force.ts';
import { quantile } from './median.ts';
import { randomResNet, TINY_RESNET } from './models.ts';
import { randomHeads } from './random-heads.ts';
import { serveModel, writeModel } from './served-model.ts';

const REQUESTS = 20_000;

/** Requests without a pause while other heads come into force half-way. */
export async function measureSwap(): Promise<Figure[]> {
  const model = writeModel(randomResNet(TINY_RESNET, 2));
  const served = await serveModel(model.path, [3, 32, 32]);
  try {
    const heads = (seed: number, intercept: number): ReturnType<typeof randomHeads> =>
      randomHeads(served.state, { tensors: ['block0', 'block2'], hidden: 0, intercept, seed });
    await putInForce(served, heads(1, -50), 1);
    const swaps: Promise<void>[] = [];
    const run = await driveServer(served, {
      concurrency: 8,
      rows: REQUESTS,
      onSent: (rows) => {
        if (rows === REQUESTS / 2) swaps.push(putInForce(served, heads(20, 50), 2));
      },
    });
    await Promise.all(swaps);
    const section = 'swap of heads under load';
    return [
      atMost({ section, name: `errors in ${REQUESTS} requests` }, run.errors, 0),
      seen({ section, name: 'rows by the old heads' }, run.rowsByPolicy.get('1.1') ?? 0),
      atLeast({ section, name: 'rows by the new heads' }, run.rowsByPolicy.get('1.2') ?? 0, 1),
      seen({ section, name: 'rows that left early' }, run.earlyRows),
      seen({ section, name: 'latency p99', unit: 'ms' }, quantile(run.latencyMs, 0.99)),
    ];
  } finally {
    await served.stop();
    model.remove();
  }
}
