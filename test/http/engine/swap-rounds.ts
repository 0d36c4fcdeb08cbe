import { expect } from 'vitest';
import type { SegmentEngine, SegmentPlan } from '../../../server/engine/segment-engine.ts';
import { aHead } from '../../support/onnx-models/random-head.ts';
import { seededRandom } from '../../support/seeded-random.ts';

/** @param path of the residual network. @returns rounds of work in which every head is another one, rows leave, and a call is refused. */
export async function swapRounds(
  engine: SegmentEngine,
  path: string,
): Promise<{ readonly plan: SegmentPlan; readonly round: () => Promise<void> }> {
  const { cuts } = await engine.open({ path, outputName: null, digest: null });
  const random = seededRandom(5);
  const heads = cuts.map(({ tensor, channels, pool }, seed) => {
    const featureCount = pool * pool * channels;
    return aHead({ tensor, featureCount, pool, hidden: 64, classCount: 10, seed });
  });
  const plan = await engine.plan(
    heads.map(({ tensor, pool, hidden, featureCount }) => ({
      tensor: tensor!,
      heads: [{ pool, hidden, featureCount }],
      samplePool: pool,
    })),
  );
  const round = async (): Promise<void> => {
    const rows = 1 + Math.floor(random.uniform() * 6);
    const values = Float32Array.from({ length: rows * 768 }, () => random.normal());
    let activation = engine.upload(values, rows);
    for (const [cut, head] of heads.entries()) {
      const prepared = engine.prepareHead(head);
      const want = { heads: [prepared], pooled: true };
      ({ activation } = await engine.run(plan, cut, activation, want));
      engine.releaseHead(prepared);
      if (rows > 3 && cut === 0) activation = engine.compact(activation, [0, 2, 3]);
    }
    if (rows === 1) engine.discard(activation);
    else await engine.output(plan, activation);
    await expect(engine.output(plan, engine.upload(values, rows))).rejects.toThrow('passed to');
  };
  return { plan, round };
}
