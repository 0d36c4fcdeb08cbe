import { atMost, seen, type Figure } from '../figure.ts';
import { quantile } from '../median.ts';
import { randomResNet, RESNET_18 } from '../models.ts';
import { lagP99Ms, latenciesOf, startOpenLoop } from '../open-loop.ts';
import { serveModel, writeModel } from '../served-model.ts';
import { perSecond } from './closed-figures.ts';
import { driveClosed } from './drive.ts';
import { readEventLoopDelay } from './event-loop-delay.ts';
import { inferMessages } from './infer-messages.ts';
import { ROW_SHAPE, targetOf } from './layercache-target.ts';

const SECONDS = 8;
const WARM_SECONDS = 8;

/** Poisson arrivals at parts of what the server can do, and at twice that: latency from the scheduled time, and the event loop of `main`. */
export async function measureOpenLoop(): Promise<Figure[]> {
  const model = writeModel(randomResNet(RESNET_18, 1));
  const served = await serveModel(model.path, ROW_SHAPE);
  try {
    const messages = inferMessages({ rowShape: ROW_SHAPE, format: 'binary' });
    const target = targetOf(served);
    const closed = await driveClosed(target, { messages, concurrency: 32, seconds: WARM_SECONDS });
    const capacity = perSecond(closed);
    const figures: Figure[] = [];
    for (const load of [0.5, 0.8, 2]) {
      const ratePerSecond = capacity * load;
      const requests = Math.round(ratePerSecond * SECONDS);
      await readEventLoopDelay(served);
      const plan = { port: target.port, seed: 9, ratePerSecond, requests, messages };
      const report = await (await startOpenLoop({ ...plan, connections: 32 })).done;
      const delay = await readEventLoopDelay(served);
      const latencies = latenciesOf(report);
      const section = `ResNet-18, open loop at ${load} of capacity`;
      figures.push(
        seen({ section, name: 'rate', unit: 'requests/s' }, ratePerSecond),
        seen({ section, name: 'answered 200', unit: 'of all' }, latencies.length / requests),
        seen(
          { section, name: 'goodput / capacity' },
          latencies.length / (report.wallMs / 1_000) / capacity,
        ),
        seen({ section, name: 'latency p50', unit: 'ms' }, quantile(latencies, 0.5)),
        seen({ section, name: 'latency p99', unit: 'ms' }, quantile(latencies, 0.99)),
        atMost({ section, name: 'event-loop delay of main, p99', unit: 'ms' }, delay.p99Ms, 20),
        seen({ section, name: 'generator lag p99', unit: 'ms' }, lagP99Ms(report)),
        seen({ section, name: 'generator, share of a core' }, report.busyMs / report.wallMs),
      );
    }
    return figures;
  } finally {
    await served.stop();
    model.remove();
  }
}
