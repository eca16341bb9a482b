import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Remuda, until } from '#test/support/remuda.ts'

const testMaxMs = 120_000
const withinMs = 30_000

const lockOf = (remuda: Remuda) => join(remuda.data, 'worker', 'agent.lock')
const pidOf = (remuda: Remuda) => {
  try {
    return (JSON.parse(readFileSync(lockOf(remuda), 'utf8')) as { pid: number }).pid
  } catch {
    return null
  }
}
const exists = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
/** The worker answers: a check of it says so, which it does only over a session with this server. */
const answers = (remuda: Remuda) =>
  until('the worker answers', withinMs, async () => {
    const { items } = await remuda.ask<{ items: { id: string }[] }>('GET', 'machines?role=worker')
    const [worker] = items
    const { body } = await remuda.call<{ answered?: boolean }>('POST', `machines/${worker?.id ?? 'none'}/check`, {})
    return worker !== undefined && body.answered === true
  })

describe("the server's own worker", { timeout: testMaxMs }, () => {
  it('is taken over after a crash, also at another address, and ends with the server', async () => {
    await using remuda = await Remuda.start(['--worker'])
    await answers(remuda)
    const first = pidOf(remuda)!
    await remuda.server!.end('SIGKILL')
    expect(exists(first)).toBe(true)

    await remuda.startServer(['--worker'])
    await answers(remuda)
    expect(pidOf(remuda)).toBe(first)

    await remuda.server!.end('SIGKILL')
    remuda.forgetPort()
    await remuda.startServer(['--worker'])
    await answers(remuda)
    const second = pidOf(remuda)!
    expect(second).not.toBe(first)
    expect(exists(first)).toBe(false)
    expect((await remuda.server!.end()).code).toBe(0)
    expect(exists(second)).toBe(false)
  })

  it('is followed by another one when it dies', async () => {
    await using remuda = await Remuda.start(['--worker'])
    await answers(remuda)
    const first = pidOf(remuda)!
    process.kill(first, 'SIGKILL')
    await until('another one runs', withinMs, async () => pidOf(remuda) !== first && pidOf(remuda) !== null)
    await answers(remuda)
  })

  it('is not taken for a process that has its number now', async () => {
    await using remuda = new Remuda()
    const stranger = spawn('sleep', ['120'], { stdio: 'ignore' })
    mkdirSync(join(remuda.data, 'worker'), { recursive: true })
    writeFileSync(lockOf(remuda), JSON.stringify({ pid: stranger.pid, started: '1' }))
    await remuda.startServer(['--worker'])
    await answers(remuda)
    await remuda.server!.end()
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
    stranger.kill()
    await once(stranger, 'exit')
  })
})
