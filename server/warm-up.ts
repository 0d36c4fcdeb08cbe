import { Buffer } from 'node:buffer';
import { readMountedFiles } from './net/mounted-files.ts';
import type { EngineClient } from './engine/engine-client.ts';
import { RowFlag } from './engine/engine-client.ts';
import { decodeImages } from './http/decode-images.ts';
import type { ModelShape } from './http/model-shape.ts';
import { OPEN_INFERENCE, parseAtOnce } from './http/protocols.ts';
import type { ImageDecoder } from './image/image-decoder.ts';
import type { Serving } from './serving.ts';

export interface WarmUpOptions {
  /** Holds bodies of infer requests in JSON, one a file. */
  readonly dir: string | null;
  readonly iterations: number;
  readonly engine: Pick<EngineClient, 'run' | 'slots'>;
  readonly serving: Serving;
  readonly shape: ModelShape;
  readonly images: ImageDecoder;
  /** A file that is no request for this model, or that the engine cannot run: it is left out. */
  readonly onProblem: (file: string, error: unknown) => void;
}

/**
 * Runs the user's own inputs through every worker before the first request does. They are no traffic: nothing is counted, audited
 * or sampled. Without inputs there is nothing to do, since the engine has run every batch size already to measure it.
 */
export async function warmUp(options: WarmUpOptions): Promise<void> {
  const { dir, engine, serving, shape, onProblem } = options;
  const decodeOptions = {
    decoder: options.images,
    signal: new AbortController().signal,
    maxBytes: shape.limits.maxTensorElements,
  };
  for (const [file, text] of (await readMountedFiles(dir)) ?? []) {
    try {
      const { data } = parseAtOnce(OPEN_INFERENCE, Buffer.from(text), {}, shape);
      const { rows, datatype, input } =
        'images' in data ? await decodeImages(data, shape, decodeOptions) : data;
      const flags = new Uint8Array(rows).fill(RowFlag.BackboneOnly);
      const batch = { planId: serving.planId, rows, datatype, input: [input], flags };
      for (let i = 0; i < options.iterations; i++) {
        const workers = Array.from({ length: engine.slots }, () =>
          engine.run(batch, () => undefined),
        );
        await Promise.all(workers);
        await engine.run({ ...batch, isAlone: true }, () => undefined);
      }
    } catch (error) {
      onProblem(file, error);
    }
  }
}
