// Environment of the engine host. Native libraries read it while they load, so it is complete before the spawn.

/** One thread per library: parallelism comes from the host's workers. Empty device list: the CPU engines see no GPU. */
const NATIVE_SETTINGS: Readonly<Record<string, string>> = {
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  TF_NUM_INTRAOP_THREADS: '1',
  TF_NUM_INTEROP_THREADS: '1',
  TF_CPP_MIN_LOG_LEVEL: '2',
  // Fewer arenas: the resident size of many threads stays near what they use.
  MALLOC_ARENA_MAX: '2',
  // From 1.29 on onnxruntime reports each process and session to its makers unless this is set before it loads.
  ORT_DISABLE_TELEMETRY: '1',
};

export function hostEnvironment(): Readonly<Record<string, string | undefined>> {
  return { ...process.env, ...NATIVE_SETTINGS };
}
