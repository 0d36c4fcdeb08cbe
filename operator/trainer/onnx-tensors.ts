import * as ort from 'onnxruntime-node';
import { ADAM } from '../training/adam.ts';

// What training by onnxruntime has in common, whatever is trained: one thread, tensors, and the state of Adam that graphs made of
// `adamNodes` (step-graph.ts) take in and give out.

export type Tensors = Record<string, ort.Tensor>;

// One thread: parallelism is over jobs, and digests are equal on any machine. Spinning threads would take the cores from the servers
// beside us.
const SESSION_OPTIONS: ort.InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
};

export function openSession(model: Uint8Array): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(model, SESSION_OPTIONS);
}

export function tensor(data: Float32Array, dims: readonly number[]): ort.Tensor {
  return new ort.Tensor('float32', data, dims);
}

export function scalar(value: number): ort.Tensor {
  return tensor(Float32Array.of(value), []);
}

/** Weights and moments between steps: two sets take turns as input and output. */
export interface AdamState {
  /** What the next step reads, at this rate. Counts the step. */
  feeds(learningRate: number): Tensors;
  /** Where that step writes. */
  fetches(): Tensors;
  /** The step has run: what it wrote is read next. */
  advance(): void;
  /** A copy of the present values of a parameter; throws for a name that is none. */
  copyOf(name: string): Float32Array;
}

/** Starts from copies of these values with zeroed moments. */
export function createAdamState(weights: Tensors, weightDecay: number): AdamState {
  let state = stateTensors(weights);
  let spare = stateTensors(weights);
  let step = 0;
  return {
    feeds: (learningRate) => {
      step += 1;
      return {
        ...state,
        'rate.step': scalar(learningRate / (1 - ADAM.beta1 ** step)),
        'rate.keep': scalar(1 - learningRate * weightDecay),
        'root.correction': scalar(1 / Math.sqrt(1 - ADAM.beta2 ** step)),
      };
    },
    fetches: () =>
      Object.fromEntries(Object.entries(spare).map(([name, value]) => [`${name}.next`, value])),
    advance: () => {
      [state, spare] = [spare, state];
    },
    copyOf: (name) => (state[name]?.data as Float32Array).slice(),
  };
}

function stateTensors(weights: Tensors): Tensors {
  const tensors: Tensors = {};
  for (const [name, value] of Object.entries(weights)) {
    tensors[name] = tensor((value.data as Float32Array).slice(), value.dims);
    for (const moment of ['m', 'v']) {
      tensors[`${name}.${moment}`] = tensor(new Float32Array(value.size), value.dims);
    }
  }
  return tensors;
}
