import { describe, expect, it } from 'vitest'
import { isGood, lastLine } from '#test/support/reporter.ts'

describe('the end of a test run', () => {
  it('is one line of totals', () => {
    expect(lastLine({ passed: 12, failed: 0, skipped: 3 })).toBe('Tests: 12 passed, 0 failed, 3 skipped')
  })
  it.each([
    [{ passed: 1, failed: 0, skipped: 0 }, true, true],
    [{ passed: 1, failed: 0, skipped: 1 }, false, true],
    [{ passed: 1, failed: 0, skipped: 1 }, true, false],
    [{ passed: 1, failed: 1, skipped: 0 }, false, false],
    [{ passed: 0, failed: 0, skipped: 0 }, false, false],
  ])('%j, where every test must run: %s, is good: %s', (totals, everyTestMustRun, good) => {
    expect(isGood(totals, everyTestMustRun)).toBe(good)
  })
})
