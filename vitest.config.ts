import { defineConfig } from 'vitest/config'

/** Whole fleets and clusters of processes: two of them at once would be late by each other. */
const alone = ['bench', 'cluster', 'crash', 'demo', 'leastPrivilege', 'zones'].map((name) => `test/e2e/${name}.test.ts`)

export default defineConfig({
  test: {
    reporters: ['default', './test/support/reporter.ts'],
    // More workers than this only make the tests that wait for real processes late.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          testTimeout: 15_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: alone,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          // A server and a browser each, when the quick tests have passed the processor on.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'fleets',
          include: alone,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
