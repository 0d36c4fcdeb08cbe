import { defineConfig } from 'vitest/config';

const pureFolders = [
  'server/core',
  'operator/stats',
  'operator/lifecycle',
  'operator/training',
  'operator/plan',
  'crds/wire',
  'crds/v1alpha1',
];

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    reporters: ['default', './test/support/count-line.ts'],
    coverage: {
      provider: 'v8',
      include: pureFolders.map((folder) => `${folder}/**/*.ts`),
      reporter: ['text-summary', 'html'],
      thresholds: { lines: 100, branches: 100 },
    },
  },
});
