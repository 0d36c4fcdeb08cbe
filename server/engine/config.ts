// Environment of the engine host, complete before the spawn since native libraries read it while they load; and what the host
// itself reads of it.
import { homedir, tmpdir } from 'node:os';
import { enginesFolder } from '../core/tensorflow/engine-files.ts';
import { POD_PATHS } from '../pod-paths.ts';

/** One thread per library: parallelism comes from the host's workers. */
const NATIVE_SETTINGS: Readonly<Record<string, string>> = {
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  TF_NUM_INTRAOP_THREADS: '1',
  // Below zero: a session runs in the thread that asks for it. With a pool, even of one, workers would wait for each other in it.
  TF_NUM_INTEROP_THREADS: '-1',
  TF_CPP_MIN_LOG_LEVEL: '2',
  // Fewer arenas: the resident size of many threads stays near what they use.
  MALLOC_ARENA_MAX: '2',
  // From 1.29 on onnxruntime reports each process and session to its makers unless this is set before it loads.
  ORT_DISABLE_TELEMETRY: '1',
};

/** Memory of the card as it is needed: another process may have some of it. */
const ON_GPU = { TF_FORCE_GPU_ALLOW_GROWTH: 'true' };
/** No device in the list: an engine for processors sees no card, also where there is one. */
const ON_CPU = { CUDA_VISIBLE_DEVICES: '' };

export type Device = 'cpu' | 'gpu';

/** What models run on. Images for cards say GPU; a pod of one that is to run on processors says CPU. */
export function deviceOfProcess(): Device {
  return process.env.LAYERCACHE_DEVICE === 'GPU' ? 'gpu' : 'cpu';
}

export function hostEnvironment(): Readonly<Record<string, string | undefined>> {
  const ofDevice = deviceOfProcess() === 'gpu' ? ON_GPU : ON_CPU;
  return { ...process.env, ...NATIVE_SETTINGS, ...ofDevice };
}

/** Where engines are that are installed by themselves. */
export function enginesDir(): string {
  return enginesFolder(process.env, homedir());
}

/** For files that live for a moment, of the size of a model. A pod has little room in /tmp. */
export function scratchDir(): string {
  const { LAYERCACHE_CACHE_DIR: named = '', LAYERCACHE_SERVICE: service = '' } = process.env;
  if (named !== '') return named;
  return service === '' ? tmpdir() : POD_PATHS.cacheDir;
}
