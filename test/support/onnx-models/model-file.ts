import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestModel } from './graph-writer.ts';

export interface ModelFile {
  readonly path: string;
  remove(): Promise<void>;
}

/** The model in a directory of its own, with `layercache.json` beside it when given. */
export async function modelFile(
  model: Pick<TestModel, 'bytes'>,
  notes?: object,
): Promise<ModelFile> {
  const directory = await mkdtemp(join(tmpdir(), 'layercache-model-'));
  const path = join(directory, 'model.onnx');
  await writeFile(path, model.bytes);
  if (notes !== undefined)
    await writeFile(join(directory, 'layercache.json'), JSON.stringify(notes));
  return { path, remove: () => rm(directory, { recursive: true, force: true }) };
}
