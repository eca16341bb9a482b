import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { serviceNames } from '#contracts/command.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { Running } from '#test/support/remuda.ts'
import { findNats } from '#test/support/servers.ts'

const cli = resolve(import.meta.dirname, '../../services/cli/main.ts')
const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('remuda-demo-'))
const nats = await findNats()
const distributedMs = 300_000

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

describe.skipIf(nats === null || postgresPrograms === null)('the distributed demo', () => {
  it('plays all with every service in processes of its own', { timeout: distributedMs }, async () => {
    const before = leftovers()
    const demo = await new Running(cli, ['demo', '--distributed', '--exit']).exit()
    expect(demo.output).toMatch(/All \d+ facts held\./)
    expect(demo.output).not.toContain('✗')
    expect(demo.code).toBe(0)
    expect(demo.output).toMatch(/deployment-[12] took over within 10 s/)
    expect(demo.output).toMatch(/web-7 +2\.0\.0 → 3\.0\.0 → 3\.1\.0 /)

    // The table names two of each service, and what they need; none of them is left.
    const pids = [...demo.output.matchAll(/^(?:PostgreSQL|nats-server|[a-z]+-[12]) +(\d+) /gm)].map(([, pid]) =>
      Number(pid),
    )
    expect(pids).toHaveLength(2 + 2 * serviceNames.length)
    expect(pids.filter(isRunning)).toEqual([])
    expect(leftovers()).toEqual(before)
  })
})

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
