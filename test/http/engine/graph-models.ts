// What every engine must do that reads graph models of TensorFlow.js, TensorFlow.js itself being the measure.
import { loadGraphModelSync } from '@tensorflow/tfjs-converter';
import { io, tensor, type Tensor } from '@tensorflow/tfjs-core';
import type { SegmentEngine } from '../../../server/engine/segment-engine.ts';
import type { TfjsTestModel } from '../../support/tfjs-models/graph-writer.ts';
import {
  ambiguousNet,
  attentionNet,
  residualNet,
  separableNet,
} from '../../support/tfjs-models/networks.ts';
import { describeEngine } from './conformance.ts';
import { describeTwoOutputs } from './two-outputs.ts';
import { written, type ModelFormat } from './written.ts';

/** TensorFlow.js on the whole graph, with the tensor as its output. A backend has to be set. */
export function reference(
  { json, weights, rowDims }: TfjsTestModel,
  name: string,
  input: Float32Array,
  rows: number,
): Promise<Float32Array> {
  const model = loadGraphModelSync(
    io.fromMemorySync({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest.flatMap((group) =>
        group.weights.map((spec) => ({ ...spec, shape: [...spec.shape] })),
      ),
      // A copy: small buffers lie in a pool.
      weightData: new Uint8Array(weights).buffer,
    }),
  );
  const fed = tensor(input, [rows, ...rowDims]);
  const found = model.execute({ input: fed }, [name]) as Tensor;
  const values = Float32Array.from(found.dataSync());
  for (const each of [found, fed]) each.dispose();
  model.dispose();
  return Promise.resolve(values);
}

const networks = [
  { name: 'a residual network', model: residualNet(), cuts: ['stem', 'block0', 'block1'] },
  {
    name: 'a depthwise-separable network at 112 x 112',
    model: separableNet(),
    cuts: ['stem', 'depth0', 'point0', 'depth1', 'point1', 'depth2', 'point2'],
  },
  {
    name: 'an attention network',
    model: attentionNet(),
    cuts: ['patches', 'attended0', 'mixed0', 'attended1'],
  },
] as const;

/** @param write puts a model on disk, for as long as the tests run. @returns the path of its model.json. */
export function describeGraphModels(
  create: () => SegmentEngine,
  write: ModelFormat<TfjsTestModel>['write'],
): void {
  const format = { write, reference };
  for (const { model, ...network } of networks) {
    describeEngine({ ...network, ...written(model, format), create, layout: 'NHWC' });
  }
  describeTwoOutputs({ create, ...written(ambiguousNet(), format) });
}
