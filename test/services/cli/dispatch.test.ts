import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { runCli, startCli, tempFolder } from './support.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const token = `rmd_join_x_${'A'.repeat(43)}`
const exists = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a word that starts a program', () => {
  it('gives it the rest of the line, and takes over its exit code', async () => {
    const { code, stderr } = await runCli(['agent', '--server', 'nowhere'])
    expect(code).toBe(78)
    expect(stderr).toContain('nowhere')
  })
  it.runIf(process.platform === 'linux').each(['SIGTERM', 'SIGINT'] as const)(
    'passes %s on, and ends when the program has ended',
    async (signal) => {
      const data = join(tempFolder(), 'agent')
      const args = ['agent', '--server', 'http://127.0.0.1:1', '--data', data, '--token', token]
      const { child, said, ended } = startCli(args)
      await vi.waitFor(() => expect(said.stdout + said.stderr).toContain('cannot enrol'), { timeout: 10_000 })
      const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
        .trim()
        .split(' ')
        .map(Number)
      expect(children.filter(exists)).toHaveLength(1)
      child.kill(signal)
      expect((await ended).code).toBe(0)
      expect(children.filter(exists)).toEqual([])
    },
  )
})
