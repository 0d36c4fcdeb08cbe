// Makes the native TensorFlow engine of this machine, in a folder beside its place; it takes its place in one step, once it has loaded.
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileProblem } from '../../server/core/system-error.ts';
import {
  ENGINE_MARK,
  engineFolder,
  enginesFolder,
  parseEngineMark,
} from '../../server/core/tensorflow/engine-files.ts';
import { CliError } from '../errors.ts';
import { EngineMaker, type InstallOptions } from './engine-maker.ts';
import { failed } from './install-error.ts';
import { RECIPE_DIGEST } from './recipe.ts';

export interface Installed {
  readonly folder: string;
  readonly wasThere: boolean;
}

/** Throws CliError EngineInstallFailed; what was installed before is then as it was. */
export async function installTensorFlow(options: InstallOptions): Promise<Installed> {
  const engines = resolve(enginesFolder(options.environment, homedir()));
  const folder = engineFolder(engines, process.platform, process.arch);
  if (await isMade(folder, options)) {
    return { folder, wasThere: true };
  }
  refusePlatform();
  const maker = new EngineMaker(options);
  if (options.from === null) await maker.checkTools();
  let staging: string | null = null;
  try {
    await mkdir(engines, { recursive: true });
    staging = await mkdtemp(join(engines, '.installing-'));
    const made =
      options.from === null ? await maker.make(staging) : await maker.adopt(options.from, staging);
    await takePlace(made, folder, join(staging, 'former'));
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw failed(`${engines} ${fileProblem(error) ?? 'cannot be written'}.`, {
      nextStep:
        'Make it writable, with 2 GB free, or name another folder in LAYERCACHE_ENGINES_DIR.',
      cause: error,
    });
  } finally {
    if (staging !== null) await rm(staging, { recursive: true, force: true });
  }
  return { folder, wasThere: false };
}

async function isMade(folder: string, { again, from }: InstallOptions): Promise<boolean> {
  if (again || from !== null) return false;
  const text = await readFile(join(folder, ENGINE_MARK), 'utf8').catch(() => '');
  return parseEngineMark(text)?.recipe === RECIPE_DIGEST;
}

function refusePlatform(): void {
  if (process.platform === 'linux' && process.arch === 'x64') return;
  throw failed(
    `native TensorFlow is built for linux-x64, and this is ${process.platform}-${process.arch}.`,
    {
      nextStep: 'TensorFlow.js models run here with --engine TFJSWASM.',
    },
  );
}

/** Servers that run keep the files of the former one open. */
async function takePlace(made: string, folder: string, former: string): Promise<void> {
  await rename(folder, former).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
  try {
    await rename(made, folder);
  } catch (error) {
    await rename(former, folder).catch(() => undefined);
    throw error;
  }
}
