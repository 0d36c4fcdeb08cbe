import { atLeast, atMost, seen, type Figure } from './figure.ts';
import { driveServer, type ServedRun } from './closed-loop.ts';
import { quantile } from './median.ts';
import { randomResNet, RESNET_18, TINY_RESNET, type ResNetShape } from './models.ts';
import { putInForce } from './put-in-force.ts';
import { randomHeads } from './random-heads.ts';
import { serveModel, writeModel } from './served-model.ts';
import { inTurns } from './server/drive.ts';

const ROUNDS = 4;
const SECONDS = 6;
const CONCURRENCY = 8;

/** Requests without a pause, with heads that stay and with heads that are swapped again and again, in turns. */
export async function measureSwap(): Promise<Figure[]> {
  return [
    ...(await measureModel('ResNet-18', RESNET_18)),
    ...(await measureModel('a small network', TINY_RESNET)),
  ];
}

async function measureModel(name: string, shape: ResNetShape): Promise<Figure[]> {
  const model = writeModel(randomResNet(shape, 2));
  const served = await serveModel(model.path, [3, 32, 32]);
  try {
    const bundles = [1, 20].map((seed) =>
      randomHeads(served.state, { tensors: ['block0', 'block2'], hidden: 0, intercept: -50, seed }),
    );
    let revision = 0;
    const swap = async (): Promise<void> => {
      revision += 1;
      const bundle = bundles[revision % 2];
      if (bundle !== undefined) await putInForce(served, bundle, revision);
    };
    await swap();
    const drive = (): Promise<ServedRun> =>
      driveServer(served, { concurrency: CONCURRENCY, seconds: SECONDS });
    await drive();
    let swaps = 0;
    const swapping = async (): Promise<ServedRun> => {
      let isOver = false;
      const swapOn = async (): Promise<void> => {
        while (!isOver) {
          await swap();
          swaps += 1;
        }
      };
      const swapper = swapOn();
      try {
        return await drive();
      } finally {
        isOver = true;
        await swapper;
      }
    };
    const [still = [], swapped = []] = await inTurns(ROUNDS, [drive, swapping]);
    const p99 = (runs: readonly ServedRun[]): number =>
      quantile(
        runs.flatMap(({ latencyMs }) => [...latencyMs]),
        0.99,
      );
    const all = [...still, ...swapped];
    const section = `swaps of heads under load, ${name}`;
    return [
      atMost(
        { section, name: 'failed requests' },
        all.reduce((sum, run) => sum + run.errors, 0),
        0,
      ),
      seen(
        { section, name: 'requests' },
        all.reduce((sum, run) => sum + run.rows, 0),
      ),
      atLeast({ section, name: 'swaps' }, swaps, 1),
      seen({ section, name: 'swaps', unit: 'per s' }, swaps / (ROUNDS * SECONDS)),
      seen({ section, name: 'p99 without swaps', unit: 'ms' }, p99(still)),
      atMost({ section, name: 'p99 with swaps / without' }, p99(swapped) / p99(still), 1.2),
    ];
  } finally {
    await served.stop();
    model.remove();
  }
}
