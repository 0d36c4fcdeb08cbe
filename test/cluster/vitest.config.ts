import { defineConfig } from 'vitest/config';

/** Only the tests that need a cluster: `npx vitest run --config test/cluster/vitest.config.ts [file]`. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/cluster/**/*.test.ts'],
    globalSetup: ['test/cluster/harness/broker.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['default', './test/support/count-line.ts'],
  },
});
