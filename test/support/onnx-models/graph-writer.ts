// Small seeded networks for tests, written with the product's own model writer.
import {
  buildModel,
  floatTensor,
  floatValue,
  int64Tensor,
  node,
  type AttributeLiteral,
  type NodeLiteral,
  type TensorLiteral,
} from '../../../server/core/onnx/build-model.ts';
import { seededRandom, type SeededRandom } from '../seeded-random.ts';

export interface TestModel {
  readonly bytes: Uint8Array;
  readonly rowDims: readonly number[];
  readonly classCount: number;
}

export class GraphWriter {
  private readonly random: SeededRandom;
  private readonly nodes: NodeLiteral[] = [];
  private readonly initializers: TensorLiteral[] = [];
  private next = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** Weights of variance 2 / fan-in. */
  weights(dims: readonly number[], fanIn: number): string {
    const size = dims.reduce((all, dim) => all * dim, 1);
    const spread = Math.sqrt(2 / fanIn);
    return this.constant(
      dims,
      Float32Array.from({ length: size }, () => this.random.normal() * spread),
    );
  }

  constant(dims: readonly number[], values: ArrayLike<number>): string {
    const name = this.fresh('w');
    this.initializers.push(floatTensor(name, dims, values));
    return name;
  }

  integers(values: readonly number[]): string {
    const name = this.fresh('i');
    this.initializers.push(int64Tensor(name, [values.length], values));
    return name;
  }

  add(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeLiteral>> = {},
    name = this.fresh(op.toLowerCase()),
  ): string {
    this.nodes.push(node(op, inputs, [name], attributes));
    return name;
  }

  conv(
    input: string,
    channels: readonly [from: number, to: number],
    shape: { readonly kernel: number; readonly stride?: number; readonly groups?: number },
  ): string {
    const { kernel, stride = 1, groups = 1 } = shape;
    const fanIn = (channels[0] / groups) * kernel * kernel;
    const weight = this.weights([channels[1], channels[0] / groups, kernel, kernel], fanIn);
    const bias = this.weights([channels[1]], 50);
    const pad = Math.floor((kernel - 1) / 2);
    return this.add('Conv', [input, weight, bias], {
      kernel_shape: { ints: [kernel, kernel] },
      strides: { ints: [stride, stride] },
      pads: { ints: [pad, pad, pad, pad] },
      group: { int: groups },
    });
  }

  dense(input: string, from: number, to: number, name?: string): string {
    const inputs = [input, this.weights([from, to], from), this.weights([to], 50)];
    return this.add('Gemm', inputs, {}, name);
  }

  /** Average over the map, then classes. */
  classifier(input: string, channels: number, classCount: number, name?: string): string {
    const average = this.add('GlobalAveragePool', [input]);
    const vector = this.add('Flatten', [average], { axis: { int: 1 } });
    return this.dense(vector, channels, classCount, name);
  }

  /** @param outputs one, or several of the same size. */
  build(
    rowDims: readonly number[],
    outputs: string | readonly string[],
    classCount: number,
  ): TestModel {
    const dims = [classCount];
    const bytes = this.bytesOf(
      rowDims,
      [outputs].flat().map((name) => ({ name, dims })),
    );
    return { bytes, rowDims, classCount };
  }

  /** The file, with outputs of any shape. */
  bytesOf(
    rowDims: readonly number[],
    outputs: readonly { readonly name: string; readonly dims: readonly number[] }[],
  ): Uint8Array {
    return buildModel({
      nodes: this.nodes,
      initializers: this.initializers,
      inputs: [floatValue('input', ['rows', ...rowDims])],
      outputs: outputs.map(({ name, dims }) => floatValue(name, ['rows', ...dims])),
    });
  }

  private fresh(stem: string): string {
    this.next += 1;
    return `${stem}${this.next}`;
  }
}
