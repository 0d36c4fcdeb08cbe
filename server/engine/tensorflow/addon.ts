// The native addon of @tensorflow/tfjs-node, called directly: sessions alone are used, so nothing of the package's JavaScript (a
// second copy of TensorFlow.js) is needed. Workers share the library: the one table of it without a lock is of single operations,
// and none is run here.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ENGINE_ADDON } from '../../core/tensorflow/engine-files.ts';
import { EngineError } from '../engine-error.ts';
import { firstLine } from '../first-line.ts';

/** A tensor in the addon's keeping. */
export interface AddonTensor {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

type TypedArray = Float32Array | Int32Array | Uint8Array;

export interface Addon {
  readonly TF_Version: string;
  /** The array is shared until the tensor is deleted. */
  createTensor(shape: readonly number[], dtype: number, values: TypedArray): number;
  deleteTensor(id: number): void;
  /** A copy. */
  tensorDataSync(id: number): TypedArray;
  /** @param tags separated by commas; @returns the session's id. */
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  /** Names are NODE:OUTPUT, separated by commas. */
  runSavedModel(
    id: number,
    inputs: readonly number[],
    inputNames: string,
    outputNames: string,
  ): AddonTensor[];
  isUsingGpuDevice(): boolean;
  getNumOfTensors(): number;
  getNumOfSavedModels(): number;
}

/** Throws EngineError EngineUnavailable. */
export function loadAddon(folder: string): Addon {
  const path = join(folder, ENGINE_ADDON);
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (error) {
    throw new EngineError(
      'EngineUnavailable',
      `TensorFlow does not load from ${path} (${firstLine(error)}); install it again: layercache engines install --again`,
      { cause: error },
    );
  }
}
