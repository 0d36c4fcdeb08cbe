import type { ServedModel } from '../served-model.ts';

/** Delays of the event loop of a server's main process since they were last read. The timer that measures has 10 ms: they are in it. */
export async function readEventLoopDelay({
  server,
}: ServedModel): Promise<{ readonly p99Ms: number; readonly maxMs: number }> {
  const page = await (await fetch(`${server.metricsUrl}/metrics`)).text();
  const seconds = (name: string): number => {
    const line = new RegExp(`^nodejs_eventloop_lag_${name}_seconds\\{[^}]*\\} (\\S+)$`, 'm');
    return Number(line.exec(page)?.[1] ?? Number.NaN);
  };
  return { p99Ms: seconds('p99') * 1_000, maxMs: seconds('max') * 1_000 };
}
