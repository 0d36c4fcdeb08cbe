import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../operator/clock.ts';
import { pullState } from '../../operator/fleet/pull-state.ts';
import {
  startServer,
  stopServer,
  type ServerProcess,
} from '../../operator/local/processes/server-process.ts';
import { createInferClient, type InferClient } from '../../operator/local/replay/infer-client.ts';
import { answerOutputOf } from '../../operator/local/answer-output.ts';
import { createInferCodec } from '../../operator/local/replay/infer-codec.ts';
import { createRowEncoder } from '../../operator/local/traffic/row-encoder.ts';
import { memorySource } from '../../operator/local/traffic/source.ts';
import { createRandom } from '../../server/core/random.ts';
import type { ServerState } from '../../crds/wire/state.ts';

/** From the bundle as from its source: servers run from `dist/bundle`. */
export const BUNDLE_DIR = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/bundle/' : './', import.meta.url),
);

/** A model on disk, a server on it, and seeded rows to send. */
export interface ServedModel {
  readonly server: ServerProcess;
  readonly state: ServerState;
  readonly client: InferClient;
  readonly row: (index: number) => Buffer;
  stop(): Promise<void>;
}

/** Writes a model into a folder of its own, removed by `remove`. */
export function writeModel(bytes: Uint8Array): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-bench-'));
  const path = join(folder, 'model.onnx');
  writeFileSync(path, bytes);
  return {
    path,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const DISTINCT_ROWS = 64;

/** Starts one server on the model, with one engine worker per core as the product does unless told, and a client of float rows. */
export async function serveModel(
  modelPath: string,
  rowShape: readonly number[],
  { engineThreads = null }: { readonly engineThreads?: number | null } = {},
): Promise<ServedModel> {
  const server = await startServer({
    bundleDir: BUNDLE_DIR,
    podUid: 'bench',
    modelName: 'bench',
    backbonePath: modelPath,
    backboneDigest: null,
    outputName: null,
    engine: 'Auto',
    engineThreads,
    loneThreads: null,
    port: 0,
    startupDeadlineMs: 120_000,
    environment: { PATH: process.env.PATH ?? '' },
    onChild: () => undefined,
  });
  const state = await pullState(server.admin);
  if (!state.ok) throw new Error(state.message);
  const source = randomRows(rowShape);
  const encoder = createRowEncoder(source, state.value.backbone.inputs, {});
  const client = createInferClient({
    dataUrls: () => [server.dataUrl],
    modelName: 'bench',
    codec: createInferCodec(encoder, answerOutputOf(state.value.backbone, modelPath)),
    clock: systemClock,
    timeoutMs: 60_000,
    sourceHeader: null,
  });
  return {
    server,
    state: state.value,
    client,
    row: (index) => source.readRow(index % DISTINCT_ROWS),
    stop: async () => {
      client.close();
      await stopServer(server);
    },
  };
}

function randomRows(rowShape: readonly number[]): ReturnType<typeof memorySource> {
  const random = createRandom(11);
  const size = rowShape.reduce((product, extent) => product * extent, 1);
  const values = Float32Array.from({ length: size * DISTINCT_ROWS }, () => random.normal());
  return memorySource(
    { name: 'seeded rows', rowShape, element: 'f4', labels: null },
    Buffer.from(values.buffer),
  );
}
