import { expect } from 'vitest';
import type { createEngineClient } from '../../../server/engine/client.ts';
import { RowFlag, type RowAnswer } from '../../../server/engine/engine-client.ts';
import type { ModelDescription } from '../../../server/engine/segment-engine.ts';
import { createTfjsEngine } from '../../../server/engine/tfjs/tfjs-engine.ts';
import { expectClose } from '../../support/expect-close.ts';
import { aBundle } from '../../support/onnx-models/random-head.ts';
import { seededRandom } from '../../support/seeded-random.ts';

interface Served {
  readonly host: ReturnType<typeof createEngineClient>;
  readonly model: ModelDescription;
  /** Of the residual network that the host serves. */
  readonly path: string;
}

/** Rows leave, run through, are audited and sampled, alike on every worker, and the backbone answers as wasm does in this process. */
export async function expectServedRows(
  { host, model, path }: Served,
  near: { readonly rel: number; readonly abs: number },
): Promise<void> {
  // The first head lets every row go, and all workers hold the plan.
  const bundle = aBundle(model, [
    { tensor: 'stem', intercept: 50 },
    { tensor: 'block1', intercept: -50 },
  ]);
  const { planId, knownAnswers } = await host.prepare({
    tracks: [
      {
        track: 'stable',
        headRevision: 'sha256:heads',
        bundle,
        activeExits: bundle.heads.map(({ exit }) => exit),
        lambdaIndex: 60,
      },
    ],
    samples: [{ name: 'b', tensor: 'block0' }],
  });
  expect(knownAnswers).toHaveLength(1);
  const random = seededRandom(3);
  const input = Float32Array.from({ length: 3 * 768 }, () => random.normal());
  const runs = [1, 2, 3, 4].map(async () => {
    const rows: RowAnswer[] = [];
    const outcome = await host.run(
      {
        planId,
        rows: 3,
        datatype: 'FP32',
        input: [new Uint8Array(input.buffer)],
        flags: Uint8Array.of(0, RowFlag.BackboneOnly, RowFlag.Audit | RowFlag.Sample),
      },
      (answers) => rows.push(...answers),
    );
    return { rows: rows.sort((a, b) => a.row - b.row), outcome };
  });
  const [first, ...others] = await Promise.all(runs);
  expect(first!.rows.map(({ exit }) => exit)).toEqual([0, -1, 0]);
  expect(first!.outcome.audits).toHaveLength(1);
  expect(first!.outcome.samples[0]!.features[0]).toHaveLength(128);
  for (const { rows } of others) expect(rows).toEqual(first!.rows);
  const wasm = createTfjsEngine('wasm');
  await wasm.open({ path, outputName: null, digest: null });
  const [logits] = await wasm.output(await wasm.plan([]), wasm.upload(input, 3));
  await wasm.close();
  expectClose(first!.rows[1]!.outputs[0]!, logits!.slice(10, 20), near);
  expect(host.memory().activations).toBe(0);
}
