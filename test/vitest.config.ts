import { defineConfig } from 'vitest/config';
import SlowFilesFirst from './support/slow-files-first.ts';

const pureFolders = [
  'server/core',
  'operator/stats',
  'operator/lifecycle',
  'operator/training',
  'operator/plan',
  'crds/wire',
  'crds/v1alpha1',
];

/** Functions, and simulations in which time is simulated too: nothing of one file is left for the next. */
const alone = ['unit', 'promises', 'faults/sim', 'faults/loop', 'faults/catalogue'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    projects: [
      {
        extends: true,
        // Loading modules anew for each of 350 files took two fifths of their time (measured).
        test: { name: 'alone', include: alone, isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'with processes',
          include: ['test/**/*.test.ts'],
          exclude: alone,
          // Starts a cluster when a file first asks for one, and ends it with the run.
          globalSetup: ['test/cluster/harness/broker.ts'],
        },
      },
    ],
    setupFiles: ['./test/support/end-with-the-run.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    env: {
      // onnxruntime is loaded by tests of the engine in process too.
      ORT_DISABLE_TELEMETRY: '1',
      // As engine hosts set it.
      TF_NUM_INTRAOP_THREADS: '1',
      TF_NUM_INTEROP_THREADS: '-1',
      TF_CPP_MIN_LOG_LEVEL: '2',
      // What an engine is for does not depend on what the machine has; tests of an installed one name its folder.
      LAYERCACHE_ENGINES_DIR: '/dev/null/engines',
    },
    maxWorkers: 2,
    sequence: { sequencer: SlowFilesFirst },
    reporters: ['default', './test/support/count-line.ts'],
    coverage: {
      provider: 'v8',
      include: pureFolders.map((folder) => `${folder}/**/*.ts`),
      reporter: ['text-summary', 'html'],
      thresholds: { lines: 100, branches: 100 },
    },
  },
});
