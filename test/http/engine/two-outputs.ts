// A backbone with two class outputs, `digits` and `letters`: what every engine must do before and after one is named.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelDescription, SegmentEngine } from '../../../server/engine/segment-engine.ts';
import { expectClose } from '../../support/expect-close.ts';
import { seededRandom } from '../../support/seeded-random.ts';

export interface TwoOutputsCase {
  readonly create: () => SegmentEngine;
  readonly path: () => string;
  readonly reference: (tensor: string, input: Float32Array, rows: number) => Promise<Float32Array>;
}

const ROWS = 3;

export function describeTwoOutputs({ create, path, reference }: TwoOutputsCase): void {
  describe('two outputs', () => {
    let engine: SegmentEngine;
    beforeAll(() => {
      engine = create();
    });
    afterAll(() => engine.close());

    const open = (outputName: string | null): Promise<ModelDescription> =>
      engine.open({ path: path(), outputName, digest: null });

    function randomRows({ inputs }: ModelDescription): Float32Array {
      const size = inputs[0]!.shape.slice(1).reduce((all, dim) => all * dim, 1);
      const random = seededRandom([5]);
      return Float32Array.from({ length: ROWS * size }, () => random.uniform());
    }

    test('none named: both are answered, no tensor is a cut, and the description says why', async () => {
      const model = await open(null);
      expect(model).toMatchObject({ outputName: null, outputKind: null, classCount: 0, cuts: [] });
      expect(model.outputProblem).toMatchObject({
        code: 'OutputAmbiguous',
        message: expect.stringMatching(/\(digits, letters\).*spec\.backbone\.outputName/) as string,
      });
      expect(model.rejectedCuts.some(({ reason }) => reason.includes('no class output'))).toBe(
        true,
      );
      const input = randomRows(model);
      const found = await engine.output(await engine.plan([]), engine.upload(input, ROWS));
      expect(model.outputs.map(({ name }) => name)).toEqual(['digits', 'letters']);
      for (const [index, name] of ['digits', 'letters'].entries()) {
        expectClose(found[index]!, await reference(name, input, ROWS), { rel: 1e-5, abs: 1e-5 });
      }
    });

    test('one named: it has a kind and classes, there are cuts, and both are still answered', async () => {
      const model = await open('letters');
      expect(model).toMatchObject({
        ...{ outputName: 'letters', outputKind: 'Logits', classCount: 10, outputProblem: null },
      });
      const [cut] = model.cuts;
      const input = randomRows(model);
      const plan = await engine.plan([{ tensor: cut!.tensor, heads: [], samplePool: null }]);
      const want = { heads: [], pooled: false };
      const { activation } = await engine.run(plan, 0, engine.upload(input, ROWS), want);
      const found = await engine.output(plan, activation);
      for (const [index, name] of ['digits', 'letters'].entries()) {
        expectClose(found[index]!, await reference(name, input, ROWS), { rel: 1e-5, abs: 1e-5 });
      }
    });
  });
}
