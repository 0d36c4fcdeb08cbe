import { driveServer, type ServedRun } from './closed-loop.ts';
import { atLeast, atMost, seen, type Figure } from './figure.ts';
import { quantile } from './median.ts';
import { randomResNet, RESNET_18 } from './models.ts';
import { serveModel, writeModel } from './served-model.ts';
import { inTurns } from './server/drive.ts';
import { ROW_SHAPE } from './server/layercache-target.ts';
import { startSlowSenders } from './slow-senders.ts';

const SLOW = 500;
const ROUNDS = 4;
const SECONDS = 6;
const CONCURRENCY = 8;

/** Requests without a pause, alone and beside 500 clients that send as slowly as they can, in turns (reliability.md Q2). */
export async function measureSlowClients(): Promise<Figure[]> {
  const model = writeModel(randomResNet(RESNET_18, 3));
  const served = await serveModel(model.path, ROW_SHAPE);
  try {
    const port = Number(new URL(served.server.dataUrl).port);
    const drive = (): Promise<ServedRun> =>
      driveServer(served, { concurrency: CONCURRENCY, seconds: SECONDS });
    await drive();
    let opened = 0;
    const beside = async (): Promise<ServedRun> => {
      const slow = await startSlowSenders(port, '/v2/models/bench/infer', SLOW);
      try {
        return await drive();
      } finally {
        slow.stop();
        opened += slow.opened();
      }
    };
    const [alone = [], crowded = []] = await inTurns(ROUNDS, [drive, beside]);
    const p99 = (runs: readonly ServedRun[]): number =>
      quantile(
        runs.flatMap(({ latencyMs }) => [...latencyMs]),
        0.99,
      );
    const sum = (of: (run: ServedRun) => number): number =>
      [...alone, ...crowded].reduce((total, run) => total + of(run), 0);
    const section = `${SLOW} slow clients`;
    return [
      atMost(
        { section, name: 'failed requests' },
        sum(({ errors }) => errors),
        0,
      ),
      seen(
        { section, name: 'requests' },
        sum(({ rows }) => rows),
      ),
      atLeast({ section, name: 'slow connections' }, opened, ROUNDS * SLOW),
      seen({ section, name: 'p99 without slow clients', unit: 'ms' }, p99(alone)),
      atMost({ section, name: 'p99 with slow clients / without' }, p99(crowded) / p99(alone), 1.2),
    ];
  } finally {
    await served.stop();
    model.remove();
  }
}
