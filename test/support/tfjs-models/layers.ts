// Small seeded layers models for tests, saved as TensorFlow.js saves them.
import { io } from '@tensorflow/tfjs-core';
import {
  initializers,
  input,
  layers,
  model,
  sequential,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import type { TfjsTestModel } from './graph-writer.ts';

class Seeds {
  private next: number;

  constructor(first: number) {
    this.next = first;
  }

  weights() {
    this.next += 1;
    return initializers.heNormal({ seed: this.next });
  }
}

interface ConvOptions {
  readonly stride?: number;
  readonly name?: string;
}

/** Residual blocks with batch norm and dropout on 16 x 16 x 3, a model inside the model, softmax in the last layer. */
export function layersNet(seed = 1): LayersModel {
  const seeds = new Seeds(seed);
  const conv = (value: SymbolicTensor, filters: number, options: ConvOptions = {}) =>
    layers
      .conv2d({
        filters,
        kernelSize: 3,
        strides: options.stride ?? 1,
        padding: 'same',
        kernelInitializer: seeds.weights(),
        ...(options.name === undefined ? {} : { name: options.name, activation: 'relu' as const }),
      })
      .apply(value) as SymbolicTensor;
  const start = input({ shape: [16, 16, 3], name: 'picture' });
  let value = conv(start, 8, { name: 'stem' });
  for (const [index, stride] of [1, 2].entries()) {
    const first = conv(value, 8 * (index + 1), { stride, name: `first${index}` });
    const normal = layers.batchNormalization().apply(conv(first, 8 * (index + 1)));
    const side = stride === 1 ? value : conv(value, 16, { stride });
    const sum = layers.add().apply([normal as SymbolicTensor, side]);
    value = layers.reLU({ name: `block${index}` }).apply(sum) as SymbolicTensor;
  }
  const inner = sequential({ name: 'inner' });
  inner.add(
    layers.separableConv2d({
      inputShape: [8, 8, 16],
      filters: 64,
      kernelSize: 3,
      padding: 'same',
      depthwiseInitializer: seeds.weights(),
      pointwiseInitializer: seeds.weights(),
      name: 'apart',
    }),
  );
  inner.add(layers.reLU({ name: 'rectified' }));
  const mixed = inner.apply(value) as SymbolicTensor;
  const flat = layers.globalAveragePooling2d({}).apply(mixed) as SymbolicTensor;
  const kept = layers.dropout({ rate: 0.5 }).apply(flat) as SymbolicTensor;
  const scores = layers
    .dense({ units: 10, activation: 'softmax', kernelInitializer: seeds.weights(), name: 'scores' })
    .apply(kept) as SymbolicTensor;
  return model({ inputs: start, outputs: scores });
}

export async function savedLayers(saved: LayersModel): Promise<TfjsTestModel> {
  let found: io.ModelArtifacts | undefined;
  await saved.save(
    io.withSaveHandler((artifacts) => {
      found = artifacts;
      return Promise.resolve({
        modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' },
      });
    }),
  );
  const { modelTopology = {}, weightSpecs = [], weightData = new ArrayBuffer(0) } = found ?? {};
  return {
    rowDims: [],
    weights: Buffer.concat([weightData].flat().map((part) => Buffer.from(part))),
    json: {
      format: 'layers-model',
      modelTopology,
      weightsManifest: [
        {
          paths: [],
          weights: weightSpecs as TfjsTestModel['json']['weightsManifest'][0]['weights'],
        },
      ],
    },
  };
}
