import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TfjsTestModel } from './graph-writer.ts';

export interface ModelFolder {
  /** Of model.json. */
  readonly path: string;
  remove(): Promise<void>;
}

/** The model in a folder of its own, its weights in two files, with `layercache.json` beside it when given. */
export async function modelFolder(
  { json, weights }: Pick<TfjsTestModel, 'json' | 'weights'>,
  notes?: object,
): Promise<ModelFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'layercache-tfjs-'));
  const half = Math.floor(weights.length / 2);
  const paths = ['group1-shard1of2.bin', 'group1-shard2of2.bin'];
  const [group] = json.weightsManifest;
  const split = { ...json, weightsManifest: [{ ...group, paths }] };
  await writeFile(join(folder, 'model.json'), JSON.stringify(split));
  await writeFile(join(folder, paths[0]!), weights.subarray(0, half));
  await writeFile(join(folder, paths[1]!), weights.subarray(half));
  if (notes !== undefined) await writeFile(join(folder, 'layercache.json'), JSON.stringify(notes));
  return {
    path: join(folder, 'model.json'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Models that a file of tests writes, and the end of them all. */
export function modelFolders(): {
  /** @returns the path of model.json. */
  readonly write: (
    model: Pick<TfjsTestModel, 'json' | 'weights'>,
    notes?: object,
  ) => Promise<string>;
  readonly remove: () => Promise<void>;
} {
  const folders: ModelFolder[] = [];
  return {
    write: async (model, notes) => {
      const folder = await modelFolder(model, notes);
      folders.push(folder);
      return folder.path;
    },
    remove: async () => {
      for (const folder of folders) await folder.remove();
    },
  };
}
