// What ways through a backbone cost at batch 1 on this machine: processor milliseconds, so that other programs hardly count.
import { createOnnxEngine } from '../../../server/engine/onnx/onnx-engine.ts';
import type { BundleHead } from '../../../crds/wire/head-bundle.ts';

export interface PathTimes {
  /** [exits + 1][passes] ms to each exit with all heads on the way, and to the end, ascending. */
  readonly ms: readonly Float64Array[];
  /** [passes] of the backbone without cuts or heads, ascending. */
  readonly plainMs: Float64Array;
}

const WARM_PASSES = 20;
const PASSES = 200;

/** Runs the backbone alone and with these heads in turns. @param input one row. */
export async function measurePaths(
  modelPath: string,
  heads: readonly BundleHead[],
  input: Float32Array,
): Promise<PathTimes> {
  const engine = createOnnxEngine();
  await engine.open({ path: modelPath, outputName: null, digest: null });
  try {
    const whole = await engine.plan([]);
    const plan = await engine.plan(
      heads.map(({ tensor, pool, hidden, featureCount }) => ({
        tensor: tensor ?? '',
        heads: [{ pool, hidden, featureCount }],
        samplePool: null,
      })),
    );
    const prepared = heads.map((head) => engine.prepareHead(head));
    const ms = [...heads, null].map(() => new Float64Array(PASSES));
    const plainMs = new Float64Array(PASSES);
    for (let pass = -WARM_PASSES; pass < PASSES; pass++) {
      let start = process.cpuUsage();
      await engine.output(whole, engine.upload(input, 1));
      const plain = elapsedMs(start);
      start = process.cpuUsage();
      let activation = engine.upload(input, 1);
      const marks: number[] = [];
      for (const [index, head] of prepared.entries()) {
        const want = { heads: [head], pooled: false };
        ({ activation } = await engine.run(plan, index, activation, want));
        marks.push(elapsedMs(start));
      }
      await engine.output(plan, activation);
      marks.push(elapsedMs(start));
      if (pass < 0) continue;
      plainMs[pass] = plain;
      for (const [path, mark] of marks.entries()) ms[path]![pass] = mark;
    }
    return { ms: ms.map((column) => column.sort()), plainMs: plainMs.sort() };
  } finally {
    await engine.close();
  }
}

function elapsedMs(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** Share of the backbone's median time that rows save on average. @param shares [exits + 1] of rows by way. */
export function meanSaved({ ms, plainMs }: PathTimes, shares: readonly number[]): number {
  const isOff = shares.at(-1) === 1;
  if (isOff) return 0;
  const mean = shares.reduce((sum, share, path) => sum + share * median(ms[path]!), 0);
  return 1 - mean / median(plainMs);
}

function median(ascending: Float64Array): number {
  return ascending[ascending.length >> 1]!;
}

/** The same at a quantile of both. */
export function quantileSaved(
  { ms, plainMs }: PathTimes,
  shares: readonly number[],
  quantile: number,
): number {
  if (shares.at(-1) === 1) return 0;
  const weighted = ms.flatMap((column, path) =>
    Array.from(column, (value) => ({ value, weight: shares[path]! / column.length })),
  );
  weighted.sort((a, b) => a.value - b.value);
  let below = 0;
  const at =
    weighted.find(({ weight }) => (below += weight) >= quantile - 1e-9) ?? weighted.at(-1)!;
  return 1 - at.value / plainMs[Math.ceil(quantile * plainMs.length) - 1]!;
}
