import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.long.ts'],
    env: { ORT_DISABLE_TELEMETRY: '1' },
    testTimeout: 1_800_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['default', './test/support/count-line.ts'],
  },
});
