import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const benches = globSync('test/bench/*.bench.ts').sort()

it('there are benches to be run', () => expect(benches.length).toBeGreaterThan(5))

// Whether they run, and never how fast: that depends on whatever else this machine does.
it.each(benches)('%s runs, and says what it has measured', { timeout: 180_000 }, async (bench) => {
  const { stdout } = await run(process.execPath, [bench, '--quick'], { maxBuffer: 16 * 1_048_576 })
  expect(stdout).toMatch(/quick: figures mean nothing/)
  expect(stdout).toMatch(/target +bound +measured|SKIPPED/)
})
