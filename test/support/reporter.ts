import type { Reporter, TestModule } from 'vitest/node'

export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** The line that a run ends with, for people and for programs that look for it. */
export const lastLine = ({ passed, failed, skipped }: Totals): string =>
  `Tests: ${passed} passed, ${failed} failed, ${skipped} skipped`

/** A test that is skipped where it must run, and a run without tests, are failures that would look like success. */
export const isGood = ({ passed, failed, skipped }: Totals, everyTestMustRun: boolean): boolean =>
  failed === 0 && passed > 0 && !(everyTestMustRun && skipped > 0)

/** Ends a run with one line of totals, and makes a skipped test fail the run when the variable CI is set. */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const totals = totalsOf(modules, unhandledErrors.length)
    const everyTestMustRun = Boolean(process.env.CI)
    if (everyTestMustRun) for (const name of skippedOf(modules)) console.error(`Skipped, which fails here: ${name}`)

    // When the process exits nothing can be written after it, whatever other reporters have to say.
    process.on('exit', () => {
      if (!isGood(totals, everyTestMustRun)) process.exitCode ||= 1
      process.stdout.write(`${lastLine(totals)}\n`)
    })
  }
}

function totalsOf(modules: readonly TestModule[], unhandledErrors: number): Totals {
  const tests = modules.flatMap((module) => [...module.children.allTests()])
  const count = (state: string) => tests.filter((test) => test.result().state === state).length
  // A file that cannot even be loaded has no tests that could fail, so it counts as one; so does an error between tests.
  const broken = modules.filter((module) => !module.ok() && [...module.children.allTests('failed')].length === 0)
  return {
    passed: count('passed'),
    failed: count('failed') + broken.length + unhandledErrors,
    skipped: count('skipped') + count('pending'),
  }
}

const skippedOf = (modules: readonly TestModule[]) =>
  modules.flatMap((module) => [...module.children.allTests('skipped')].map((test) => test.fullName))
