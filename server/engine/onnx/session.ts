// onnxruntime sessions. One thread each where batches run side by side: parallelism comes from workers, one engine per thread. Several
// for the worker that runs what is alone in the server.
//
// The binding itself, not the package's InferenceSession: that one checks and copies its arguments and waits for a turn of the event
// loop before each run, although the run then blocks the thread all the same. Between two segments, with the caches full of
// activations, it cost 0.02 ms each (measured), and four segments make a pass.
import { Tensor } from 'onnxruntime-node';
import { binding, initOrt, type Binding } from 'onnxruntime-node/dist/binding.js';
import { deviceOfProcess, type Device } from '../config.ts';

/** What the CUDA provider has no kernel for runs on processors within the same session. */
const PROVIDERS: Readonly<Record<Device, readonly string[]>> = { gpu: ['cuda'], cpu: ['cpu'] };

export type RuntimeTensor = Tensor;
export type Feeds = Readonly<Record<string, Tensor>>;

export interface SessionOptions {
  /** 'disabled' where there is nothing to gain: one-off runs that only look at shapes, models of a few nodes. */
  readonly optimisation?: 'all' | 'disabled';
  /** Of one run. @defaultValue 1 */
  readonly threads?: number;
  /** @defaultValue what the process runs models on */
  readonly device?: Device | undefined;
}

export class RuntimeSession {
  private readonly native: Binding.InferenceSession;
  private readonly allOutputs: Readonly<Record<string, null>>;

  /** Throws the runtime's error when it cannot run the model. */
  constructor(
    model: Uint8Array,
    { optimisation = 'all', threads = 1, device = deviceOfProcess() }: SessionOptions = {},
  ) {
    initOrt();
    this.native = new binding.InferenceSession();
    this.native.loadModel(model.buffer as ArrayBuffer, model.byteOffset, model.byteLength, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      executionProviders: PROVIDERS[device],
      graphOptimizationLevel: optimisation,
      logSeverityLevel: 3,
      // A spinning pool thread would take a core from the other workers (18.1 -> 14.7 CPU ms per pass, measured). Two threads of one
      // pass take 2.9 ms without and 2.8 with it, where one takes 5.5.
      extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    });
    this.allOutputs = Object.fromEntries(
      this.native.outputMetadata.map(({ name }) => [name, null]),
    );
  }

  /** All outputs, each in memory of its own. Blocks the thread. */
  run(feeds: Feeds): Readonly<Record<string, Tensor>> {
    return this.native.run(feeds, this.allOutputs, {});
  }

  release(): void {
    this.native.dispose();
  }
}

export function floatTensorOf(values: Float32Array, dims: readonly number[]): Tensor {
  return new Tensor('float32', values, dims);
}

/** The values of a float32 tensor; null for any other type. */
export function floatsOf(tensor: Tensor | undefined): Float32Array | null {
  const values: unknown = tensor?.data;
  return tensor?.type === 'float32' && values instanceof Float32Array ? values : null;
}

/** Values of any type as float32; none of a tensor that did not come. */
export function numbersOf(tensor: Tensor | undefined): Float32Array {
  const floats = floatsOf(tensor);
  if (floats !== null) return floats;
  return Float32Array.from(
    tensor === undefined ? [] : (tensor.data as ArrayLike<number | bigint>),
    Number,
  );
}
