import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HeadBundle } from '../crds/wire/head-bundle.ts';
import { studentModel } from './core/student/student-model.ts';
import type { EngineClient } from './engine/engine-client.ts';
import { writeFileAtomically } from './store/write-file.ts';

/** Students that bundles bring: built here, of their weights, and run as companions of the backbone. */
export interface Students {
  /** Loads those of these bundles that do not run yet; throws EngineError when one cannot. */
  ready(bundles: readonly HeadBundle[]): Promise<void>;
  close(): Promise<void>;
}

export interface StudentsOptions {
  readonly engine: Pick<EngineClient, 'openCompanion' | 'onCompanionLost'>;
  /** Folder for their files; null: one below the system's, removed at the end. */
  readonly cacheDir: string | null;
  /** Its notes say how raw rows come in. */
  readonly backbonePath: () => string | null;
}

/** One for each track. A name is a place in the engine: who takes it puts out the one before. */
const NAMES = ['student', 'student-next'] as const;

export function createStudents(options: StudentsOptions): Students {
  const places = new Map<string, string>();
  let own: string | null = null;

  options.engine.onCompanionLost((name) => places.delete(name));

  async function folder(): Promise<string> {
    if (options.cacheDir === null) {
      own ??= await mkdtemp(join(tmpdir(), 'layercache-students-'));
      return own;
    }
    const path = join(options.cacheDir, 'students');
    await mkdir(path, { recursive: true });
    return path;
  }

  /** A restarted engine reads it again. */
  async function fileOf(digest: string): Promise<string> {
    return join(await folder(), `${digest.slice('sha256:'.length)}.onnx`);
  }

  return {
    ready: async (bundles) => {
      const wanted = new Map(
        bundles.flatMap(({ heads }) =>
          heads.flatMap(({ modelDigest, student }) =>
            modelDigest === null || student === undefined ? [] : [[modelDigest, student]],
          ),
        ),
      );
      for (const [digest, student] of wanted) {
        if ([...places.values()].includes(digest)) continue;
        const name = NAMES.find((place) => !wanted.has(places.get(place) ?? '')) ?? NAMES[0];
        const path = await fileOf(digest);
        await writeFileAtomically(path, studentModel(student));
        const rowsLike = options.backbonePath();
        const former = places.get(name);
        places.delete(name);
        await options.engine.openCompanion({
          name,
          source: { path, outputName: null, digest, ...(rowsLike === null ? {} : { rowsLike }) },
        });
        places.set(name, digest);
        if (former !== undefined) await rm(await fileOf(former), { force: true });
      }
    },
    close: async () => {
      if (own !== null) await rm(own, { recursive: true, force: true });
    },
  };
}
