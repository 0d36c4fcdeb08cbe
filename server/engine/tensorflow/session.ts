// A TensorFlow session over a graph of ours. Values stay with TensorFlow between sessions; only what is asked for comes to the host.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDir } from '../config.ts';
import { fileProblem } from '../../core/system-error.ts';
import { EngineError } from '../engine-error.ts';
import type { Addon, AddonTensor } from './addon.ts';
import { DataType, savedModel, SERVE, type NodeDef } from './node-def.ts';

/** A tensor that TensorFlow keeps; whoever has it deletes it. */
export interface TensorFlowValue {
  readonly id: number;
  readonly dims: readonly number[];
}

export interface SessionEnds {
  /** Tensors, in the order of `run`. One set for good: the runtime keeps a copy of the graph, weights included, per set. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export class TensorFlowSession {
  private readonly addon: Addon;
  private readonly id: number;
  private readonly inputNames: string;
  private readonly outputNames: string;

  /** Throws the runtime's error when it cannot read the graph. */
  constructor(addon: Addon, nodes: readonly NodeDef[], { inputs, outputs }: SessionEnds) {
    this.addon = addon;
    this.inputNames = inputs.map(withOutput).join();
    this.outputNames = outputs.map(withOutput).join();
    this.id = loadGraph(addon, savedModel(nodes));
  }

  /** Blocks the thread. Inputs stay the caller's. */
  run(inputs: readonly number[]): readonly AddonTensor[] {
    return this.addon.runSavedModel(this.id, inputs, this.inputNames, this.outputNames);
  }

  release(): void {
    this.addon.deleteSavedModel(this.id);
  }
}

/** `node` is its first output; without the number the addon would read digits of the name as one. */
function withOutput(tensor: string): string {
  return /:\d+$/.test(tensor) ? tensor : `${tensor}:0`;
}

/** The addon reads a graph from a folder alone; what is in it is gone when this returns. */
function loadGraph(addon: Addon, bytes: Uint8Array): number {
  const scratch = scratchDir();
  let folder = '';
  try {
    folder = mkdtempSync(join(scratch, 'layercache-graph-'));
    writeFileSync(join(folder, 'saved_model.pb'), bytes);
  } catch (error) {
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
    throw new EngineError(
      'EngineFailed',
      `TensorFlow reads graphs from files, and ${scratch} ${fileProblem(error, 'write') ?? 'cannot be written'}; ` +
        'name a folder with room for the model in LAYERCACHE_CACHE_DIR',
      { cause: error },
    );
  }
  try {
    return addon.loadSavedModel(folder, SERVE);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function uploadFloats(
  addon: Addon,
  values: Float32Array,
  dims: readonly number[],
): TensorFlowValue {
  return { id: addon.createTensor(dims, DataType.float, values), dims };
}

/** The values of a tensor, which is gone afterwards. Other types than float32 become numbers. */
export function takeFloats(addon: Addon, { id, dtype }: AddonTensor): Float32Array {
  try {
    const values = addon.tensorDataSync(id);
    return dtype === DataType.float ? (values as Float32Array) : Float32Array.from(values, Number);
  } finally {
    addon.deleteTensor(id);
  }
}
