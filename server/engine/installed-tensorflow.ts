import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  engineFolder,
  ENGINE_MARK,
  parseEngineMark,
  type EngineMark,
} from '../core/tensorflow/engine-files.ts';

/** Of this platform, below the folder of all engines. */
export function tensorflowFolder(engines: string): string {
  return engineFolder(engines, process.platform, process.arch);
}

/** Null: not installed. */
export function installedTensorFlow(engines: string): EngineMark | null {
  try {
    return parseEngineMark(readFileSync(join(tensorflowFolder(engines), ENGINE_MARK), 'utf8'));
  } catch {
    return null;
  }
}
