// One TensorFlow.js backend per thread: two in one process move tensors from one to the other without saying so.
import { ready, setBackend, version_core } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { EngineError } from '../engine-error.ts';

export type BackendName = 'wasm';

/** Throws EngineError EngineUnavailable. */
export async function startBackend(name: BackendName): Promise<void> {
  let why = 'it did not start';
  try {
    if (await setBackend(name)) {
      await ready();
      return;
    }
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  throw new EngineError(
    'EngineUnavailable',
    `TensorFlow.js cannot start its ${name} backend (${why}); install the package again, its .wasm files included`,
  );
}

export const TFJS_VERSION = version_core;
