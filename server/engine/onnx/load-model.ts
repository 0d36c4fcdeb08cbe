// Reads a model file and refuses what cannot be served, each time with the next step.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { readModel, type OnnxModel, type OnnxValue } from '../../core/onnx/read-model.ts';
import { EngineError } from '../engine-error.ts';
import type { ModelNotes } from '../model-notes.ts';
import type { ModelSource } from '../segment-engine.ts';

const KNOWN_DOMAINS: ReadonlySet<string> = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft']);
/** Nodes appended to segments need broadcasting (7) and Min/Max of it (8). */
const LOWEST_OPSET = 8;
const FLOAT = 1;

export interface LoadedFile {
  readonly bytes: Uint8Array;
  readonly digest: string;
  readonly model: OnnxModel;
}

export async function loadModelFile(source: ModelSource): Promise<LoadedFile> {
  const bytes = await readBytes(source.path);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (source.digest !== null && source.digest !== digest) {
    throw new EngineError(
      'DigestMismatch',
      `${source.path} has digest ${digest}, expected ${source.digest}; fetch the file again or correct the digest`,
    );
  }
  const read = readModel(bytes);
  if (!read.ok) {
    throw new EngineError(
      'ModelUnreadable',
      `${source.path} is ${read.message}; export it to ONNX again`,
    );
  }
  refuseUnsupported(source.path, read.value);
  return { bytes, digest, model: read.value };
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new EngineError(
      'ModelMissing',
      `cannot read the model ${path} (${code}); check the path of the backbone`,
      { cause: error },
    );
  }
}

function refuseUnsupported(path: string, model: OnnxModel): void {
  const refuse = (what: string, step: string): never => {
    throw new EngineError('UnsupportedModel', `${path} ${what}; ${step}`);
  };
  const external = model.initializers.find((initializer) => initializer.external);
  if (external !== undefined) {
    refuse(
      `keeps the weights ${external.name} in another file`,
      'save it as one file (onnx.save without save_as_external_data)',
    );
  }
  const foreign = model.nodes.find(({ domain }) => !KNOWN_DOMAINS.has(domain));
  if (foreign !== undefined) {
    refuse(
      `uses operator ${foreign.op} of the custom domain ${foreign.domain}`,
      'export it with standard operators',
    );
  }
  if (model.functionCount > 0) {
    refuse('defines functions of its own', 'inline them before exporting');
  }
  if (model.sparseCount > 0) refuse('has sparse initialisers', 'export dense weights');
  const opset = model.opsets.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  if (opset === undefined || opset.version < LOWEST_OPSET) {
    refuse(
      `has operator set ${opset?.version ?? 'none'}`,
      `convert it to ${LOWEST_OPSET} or later`,
    );
  }
  const [input, ...others] = model.inputs;
  if (input === undefined) refuse('has no input', 'export a classifier with one input');
  if (others.length > 0) {
    const names = model.inputs.map(({ name }) => name).join(', ');
    refuse(`has ${model.inputs.length} inputs (${names})`, 'export it with one input');
  }
  if (input?.type !== FLOAT) {
    refuse(`takes ${input?.name ?? ''} as another type than float32`, 'export it with float32');
  }
}

/** Shape of one input row, free spatial sizes filled in from the notes' image size. */
export function inputRowDims(path: string, input: OnnxValue, notes: ModelNotes): readonly number[] {
  const rowDims = (input.dims ?? []).slice(1);
  const image = notes.input.image;
  const filled =
    image !== undefined && rowDims.length === 3
      ? rowDims.map((dim, axis) => (dim > 0 || axis === 0 ? dim : imageExtent(axis, image)))
      : rowDims;
  if (filled.length === 0 || filled.some((dim) => dim <= 0)) {
    throw new EngineError(
      'UnsupportedModel',
      `input ${input.name} of ${path} has free dimensions [${(input.dims ?? []).join(', ')}]; ` +
        `only the number of rows may be free: export it with fixed sizes, or name image.width and image.height in layercache.json`,
    );
  }
  return filled;
}

function imageExtent(
  axis: number,
  image: { readonly width: number; readonly height: number },
): number {
  return axis === 1 ? image.height : image.width;
}
