import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.long.ts'],
    env: { ORT_DISABLE_TELEMETRY: '1' },
    globalSetup: ['test/support/fresh-bundle.ts'],
    setupFiles: ['./test/support/end-with-the-run.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['default', './test/support/count-line.ts'],
  },
});
