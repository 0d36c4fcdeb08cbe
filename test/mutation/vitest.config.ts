import { defineConfig } from 'vitest/config';

// Pure code alone: no cluster, no processes.
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/unit/**/*.test.ts'],
    testTimeout: 120_000,
  },
});
