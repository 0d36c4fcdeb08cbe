import { join } from 'node:path';
import { installedTensorFlow, tensorflowFolder } from '../../server/engine/installed-tensorflow.ts';
import { cacheBase } from './cache-base.ts';

/** Where `layercache engines install` puts engines when nothing else is said. */
export const enginesDir = join(cacheBase(), 'engines');

/** Null: not installed here, and tests of native TensorFlow are skipped (README, Tests). */
export const engineFolder =
  installedTensorFlow(enginesDir) === null ? null : tensorflowFolder(enginesDir);
