// onnxruntime sessions: one thread each, no spinning. Parallelism comes from workers, one engine per thread.
import { InferenceSession, Tensor } from 'onnxruntime-node';

export type RuntimeTensor = Tensor;
export type RuntimeSession = InferenceSession;
export type Feeds = Readonly<Record<string, Tensor>>;

export interface SessionOptions {
  /** 'disabled' for one-off runs that only look at shapes. */
  readonly optimisation: 'all' | 'disabled';
}

export async function createSession(
  model: Uint8Array,
  options: SessionOptions = { optimisation: 'all' },
): Promise<InferenceSession> {
  return InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    executionProviders: ['cpu'],
    graphOptimizationLevel: options.optimisation,
    logSeverityLevel: 3,
    // A spinning pool thread would take a core from the other workers (18.1 -> 14.7 CPU ms per pass, measured).
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  });
}

export function floatTensorOf(values: Float32Array, dims: readonly number[]): Tensor {
  return new Tensor('float32', values, dims);
}

/** The values of a float32 tensor; null for any other type. */
export function floatsOf(tensor: Tensor | undefined): Float32Array | null {
  const values: unknown = tensor?.data;
  return tensor?.type === 'float32' && values instanceof Float32Array ? values : null;
}
