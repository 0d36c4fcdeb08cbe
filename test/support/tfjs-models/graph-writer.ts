// Small seeded graph models for tests, as the converter writes them.
import { seededRandom, type SeededRandom } from '../seeded-random.ts';

export interface TfjsTestModel {
  readonly json: {
    readonly format: string;
    readonly signature?: object;
    readonly modelTopology: object;
    readonly weightsManifest: readonly {
      readonly paths: readonly string[];
      readonly weights: readonly WeightSpec[];
    }[];
  };
  readonly weights: Uint8Array;
  readonly rowDims: readonly number[];
}

interface Quantization {
  readonly dtype: 'float16' | 'uint8' | 'uint16';
  readonly scale?: number;
  readonly min?: number;
}

interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  readonly quantization?: Quantization;
}

type Attributes = Readonly<Record<string, object>>;

const text = (value: string): object => ({ s: Buffer.from(value).toString('base64') });
const whole = (values: readonly number[]): object => ({ list: { i: values.map(String) } });
const shapeOf = (dims: readonly number[]): object => ({
  dim: dims.map((size) => ({ size: String(size) })),
});

export class TfjsGraphWriter {
  private readonly random: SeededRandom;
  private readonly nodes: object[] = [];
  private readonly specs: WeightSpec[] = [];
  private readonly data: Uint8Array[] = [];
  private next = 0;

  readonly window = (stride: number): Attributes => ({
    strides: whole([1, stride, stride, 1]),
    dilations: whole([1, 1, 1, 1]),
    padding: text('SAME'),
    data_format: text('NHWC'),
  });

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** Weights of variance 2 / fan-in. */
  weights(shape: readonly number[], fanIn: number): string {
    const size = shape.reduce((all, dim) => all * dim, 1);
    const spread = Math.sqrt(2 / fanIn);
    return this.floats(
      shape,
      Array.from({ length: size }, () => this.random.normal() * spread),
    );
  }

  floats(shape: readonly number[], values: readonly number[]): string {
    return this.constant({ shape, dtype: 'float32' }, new Float32Array(values));
  }

  integers(values: readonly number[]): string {
    return this.constant({ shape: [values.length], dtype: 'int32' }, new Int32Array(values));
  }

  integer(value: number): string {
    return this.constant({ shape: [], dtype: 'int32' }, new Int32Array([value]));
  }

  add(
    op: string,
    input: readonly string[],
    attr: Attributes = {},
    name = this.fresh(op.toLowerCase().replace('_', '')),
  ): string {
    this.nodes.push({ name, op, input, attr: { T: { type: 'DT_FLOAT' }, ...attr } });
    return name;
  }

  /** Convolution, bias and rectifier in one, as the converter joins them. */
  conv(
    input: string,
    channels: readonly [from: number, to: number],
    shape: { readonly kernel: number; readonly stride?: number; readonly rectified?: boolean },
    name?: string,
  ): string {
    const [from, to] = channels;
    const { kernel, stride = 1, rectified = true } = shape;
    const filter = this.weights([kernel, kernel, from, to], kernel * kernel * from);
    const fused = ['BiasAdd', ...(rectified ? ['Relu'] : [])];
    return this.add(
      '_FusedConv2D',
      [input, filter, this.weights([to], 50)],
      {
        ...this.window(stride),
        fused_ops: { list: { s: fused.map((op) => Buffer.from(op).toString('base64')) } },
        num_args: { i: '1' },
        epsilon: { f: 0 },
      },
      name,
    );
  }

  depthwise(input: string, channels: number, stride: number, name?: string): string {
    const filter = this.weights([3, 3, channels, 1], 9);
    const map = this.add('DepthwiseConv2dNative', [input, filter], this.window(stride));
    return this.add('Relu6', [map], {}, name);
  }

  dense(input: string, from: number, to: number, name?: string): string {
    const product = this.add('MatMul', [input, this.weights([from, to], from)], {
      transpose_a: { b: false },
      transpose_b: { b: false },
    });
    return this.add('AddV2', [product, this.weights([to], 50)], {}, name);
  }

  mean(input: string, axes: readonly number[], keep = false): string {
    return this.add('Mean', [input, this.integers(axes)], { keep_dims: { b: keep } });
  }

  classifier(input: string, channels: number, classCount: number, name?: string): string {
    return this.dense(this.mean(input, [1, 2]), channels, classCount, name);
  }

  build(
    rowDims: readonly number[],
    outputs: Readonly<Record<string, string>>,
    batch = -1,
  ): TfjsTestModel {
    const placeholder = {
      name: 'input',
      op: 'Placeholder',
      attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: shapeOf([batch, ...rowDims]) } },
    };
    const named = ([key, tensor]: readonly [string, string]): [string, object] => [
      key,
      { name: `${tensor}:0`, dtype: 'DT_FLOAT' },
    ];
    const input = {
      name: 'input:0',
      dtype: 'DT_FLOAT',
      tensorShape: shapeOf([batch, ...rowDims]),
    };
    return {
      rowDims,
      weights: Buffer.concat(this.data),
      json: {
        format: 'graph-model',
        signature: {
          inputs: { image: input },
          outputs: Object.fromEntries(Object.entries(outputs).map(named)),
        },
        modelTopology: { node: [placeholder, ...this.nodes], versions: { producer: 1 } },
        weightsManifest: [{ paths: ['group1-shard1of1.bin'], weights: this.specs }],
      },
    };
  }

  private constant(spec: Omit<WeightSpec, 'name'>, values: Float32Array | Int32Array): string {
    const name = this.fresh('w');
    const type = spec.dtype === 'float32' ? 'DT_FLOAT' : 'DT_INT32';
    this.nodes.push({
      name,
      op: 'Const',
      attr: {
        dtype: { type },
        value: { tensor: { dtype: type, tensorShape: shapeOf(spec.shape) } },
      },
    });
    this.specs.push({ name, ...spec });
    this.data.push(new Uint8Array(values.buffer));
    return name;
  }

  private fresh(stem: string): string {
    this.next += 1;
    return `${stem}${this.next}`;
  }
}
