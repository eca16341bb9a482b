import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Running } from '#test/support/remuda.ts'

const cli = resolve(import.meta.dirname, '../../services/cli/main.ts')
const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('remuda-demo-'))

describe('the demo', () => {
  it('plays both scenarios with real processes, finds every fact true, and leaves nothing behind', async () => {
    const before = leftovers()
    const demo = await new Running(cli, ['demo', '--exit']).exit()
    expect(demo.output).toMatch(/All \d+ facts held\./)
    expect(demo.output).not.toContain('✗')
    expect(demo.code).toBe(0)

    // The table tells of each machine, its releases, and how it came and went.
    expect(demo.output).toMatch(
      /web-2 +1\.0\.0 → 1\.1\.0 +enrolled with a join token, then returned by itself +policy: /,
    )
    expect(demo.output).toMatch(/web-6 +2\.0\.0 +enrolled with a join token +it is still there/)
    expect(leftovers()).toEqual(before)
  })

  it('ends early when it is interrupted, and leaves nothing behind', async () => {
    const before = leftovers()
    const demo = new Running(join(resolve(cli, '..'), 'demo/main.ts'), [])
    await expect.poll(() => demo.output, { timeout: 60_000 }).toContain('An elastic environment')
    const { code } = await demo.end('SIGINT')
    expect(code).not.toBeNull()
    expect(leftovers()).toEqual(before)
  })
})
