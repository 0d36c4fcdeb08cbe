import { cpus, loadavg, release, totalmem } from 'node:os';
import { createRequire } from 'node:module';

/** What figures hang on. */
export interface BenchEnvironment {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Over one minute, before the first measurement: above about 1, other programs were measured too. */
  readonly loadBefore: number;
}

export function describeEnvironment(): BenchEnvironment {
  const all = cpus();
  const onnxruntime = createRequire(import.meta.url)('onnxruntime-node/package.json') as {
    readonly version: string;
  };
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    versions: Object.fromEntries<string>([
      ['node', process.versions.node],
      ['onnxruntime-node', onnxruntime.version],
    ]),
    loadBefore: loadavg()[0] ?? Number.NaN,
  };
}

export function formatEnvironment(environment: BenchEnvironment): string {
  const { cpu, cores, memoryGib, kernel, versions, loadBefore } = environment;
  const listed = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${cpu}, ${cores} cores, ${memoryGib} GiB, Linux ${kernel}, load ${loadBefore.toFixed(2)}\n${listed.join(', ')}`;
}
