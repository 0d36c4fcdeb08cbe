import { Command, Option } from 'commander';
import type { CliIo } from './cli-io.ts';
import { examples, print, withOutputFlag, type OutputFlags } from './cluster-command.ts';
import { createInterrupt, INTERRUPTED } from './interrupt.ts';
import { duration, rate, wholeNumber } from './parse-flags.ts';
import type { Outcome } from './program.ts';

interface BenchFlags extends OutputFlags {
  readonly url: string;
  readonly model?: string;
  readonly body?: string;
  readonly rate: number | null;
  readonly for: number;
  readonly seed: number;
}

const MOST_RATE = 20_000;

/** `layercache bench --url URL`: open-loop load on an endpoint, with and without exits side by side. */
export function benchCommand(io: CliIo, outcome: Outcome): Command {
  const command = new Command('bench')
    .description(
      'send requests at a rate and measure latency; every second one asks for the backbone, so that exits on and off are measured under the same load',
    )
    .requiredOption('--url <url>', 'data port of a server or address of a service')
    .option('--model <name>', 'model; else the one that is served')
    .option('--body <file>', 'V2 request in JSON to send; else rows of noise')
    .option('--rate <rate>', 'requests a second', rate, 50)
    .addOption(
      new Option('--for <duration>', 'how long').default(10_000, '10s').argParser(duration),
    )
    .option('--seed <n>', 'of the noise', wholeNumber(0, 999_999_999), 1)
    .addHelpText('after', examples(io, 'bench --url http://127.0.0.1:8080 --rate 200 --for 60s'))
    .action(async (flags: BenchFlags) => {
      const rendered = await measure(flags, outcome);
      await print(io, flags, rendered);
    });
  return withOutputFlag(command);
}

async function measure(flags: BenchFlags, outcome: Outcome) {
  const { openEndpoint } = await import('../commands/bench/endpoint.ts');
  const { prepareBodies } = await import('../commands/bench/bench-body.ts');
  const { runBench } = await import('../commands/bench/run-bench.ts');
  const { renderBench } = await import('../commands/bench/render-bench.ts');
  const { systemClock } = await import('../clock.ts');
  const interrupt = createInterrupt();
  const endpoint = openEndpoint(flags.url);
  try {
    const { model, body, seed, url } = flags;
    const ratePerSecond = Math.min(MOST_RATE, flags.rate ?? MOST_RATE);
    const ready = await prepareBodies(endpoint, { model: model ?? null, body: body ?? null, seed });
    const path = `/v2/models/${encodeURIComponent(ready.model)}/infer`;
    const result = await runBench({
      ratePerSecond,
      durationMs: flags.for,
      clock: systemClock,
      interrupt: interrupt.signal,
      send: (index, mode) =>
        endpoint.post(
          path,
          ready.bodies[index % ready.bodies.length] ?? Buffer.alloc(0),
          mode === 'auto' ? {} : { 'layercache-mode': 'backbone' },
        ),
    });
    const failed = result.auto.failed + result.backbone.failed;
    if (failed > 0) outcome.exitCode = 1;
    if (interrupt.signal.aborted) outcome.exitCode = INTERRUPTED;
    return renderBench({ url, model: ready.model, isNoise: ready.isNoise, ratePerSecond, result });
  } finally {
    endpoint.close();
    interrupt.close();
  }
}
