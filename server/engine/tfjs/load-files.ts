// Reads model.json and the weight files beside it, and refuses what is incomplete, each time with the next step.
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { io } from '@tensorflow/tfjs-core';
import { tfjsListing, parseTfjsManifest, type TfjsFormat } from '../../core/tfjs/model-manifest.ts';
import { readBytes } from '../backbone/model-file.ts';
import { EngineError } from '../engine-error.ts';
import type { ModelSource } from '../segment-engine.ts';

export interface LoadedFiles {
  readonly format: TfjsFormat;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly topology: object;
  readonly signature: unknown;
  readonly weightSpecs: io.WeightsManifestEntry[];
  readonly weightData: ArrayBuffer;
}

/** The members of model.json that are used; everything in them is checked by what reads it. */
interface ModelJson {
  readonly modelTopology: object;
  readonly signature?: unknown;
  readonly userDefinedMetadata?: { readonly signature?: unknown };
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights?: io.WeightsManifestEntry[];
  }[];
}

const VALUE_BYTES: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  complex64: 8,
  float16: 2,
  uint16: 2,
  uint8: 1,
};

export async function loadFiles({ path, digest: expected }: ModelSource): Promise<LoadedFiles> {
  const folder = dirname(path);
  const json = await readBytes(path, 'check the path of the backbone');
  const text = json.toString('utf8');
  const manifest = parseTfjsManifest(text);
  if (!manifest.ok) {
    throw new EngineError(
      'ModelUnreadable',
      `${path} ${manifest.message}; convert the model again`,
    );
  }
  const { format, weightPaths } = manifest.value;
  const weights: Buffer[] = [];
  for (const name of weightPaths) {
    const step = `${basename(path)} names it as a part of the weights, so put it there`;
    weights.push(await readBytes(join(folder, name), step));
  }
  const listing = tfjsListing(
    sha256(json),
    weightPaths.map((name, index) => ({ path: name, sha256: sha256(weights[index] ?? json) })),
  );
  const digest = `sha256:${sha256(Buffer.from(listing))}`;
  if (expected !== null && expected !== digest) {
    throw new EngineError(
      'DigestMismatch',
      `${path} and its weights have digest ${digest}, expected ${expected}; fetch the files again or correct the digest`,
    );
  }
  const parsed = JSON.parse(text) as ModelJson;
  const weightSpecs = parsed.weightsManifest.flatMap((group) => group.weights ?? []);
  const weightData = Buffer.concat(weights);
  refuseWrongSize(path, weightSpecs, weightData.length);
  return {
    format,
    digest,
    sizeBytes: json.length + weightData.length,
    topology: parsed.modelTopology,
    signature: parsed.userDefinedMetadata?.signature ?? parsed.signature,
    weightSpecs,
    weightData: weightData.buffer.slice(
      weightData.byteOffset,
      weightData.byteOffset + weightData.length,
    ),
  };
}

/** Weights cut short would be read as others. Strings have no fixed size, so a model with some is left to the loader. */
function refuseWrongSize(
  path: string,
  specs: readonly io.WeightsManifestEntry[],
  found: number,
): void {
  const sizes = specs.map(({ shape, dtype, quantization }) => {
    const bytes = VALUE_BYTES[quantization?.dtype ?? dtype];
    return bytes === undefined ? null : shape.reduce((all, dim) => all * dim, bytes);
  });
  if (sizes.some((size) => size === null)) return;
  const wanted = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  if (wanted === found) return;
  throw new EngineError(
    'ModelUnreadable',
    `the weights of ${path} are ${found} bytes, and its weightsManifest says ${wanted}; copy all weight files again`,
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
