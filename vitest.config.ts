import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/embedded-image.ts'],
    // Limits for what hangs, not for what is slow: three whole engines may start on two slow cores.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Many tests wait for a server or for a moment that has to come: a file more than there are cores.
    maxWorkers: availableParallelism() + 1,
  },
});
