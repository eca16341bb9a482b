import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentCheck, AgentFrame } from '#contracts/agent.ts'
import { silentLog } from '#libs/log.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { Checks } from '#services/agent/checks/checks.ts'
import { createCheckRunner } from '#services/agent/checks/runner.ts'
import { Printed, resultOf } from '#services/agent/checks/result.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remuda-checks-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
})

const check = (script: string, more: Partial<AgentCheck> = {}): AgentCheck => ({
  ...{ name: 'disk', interpreter: 'bash', script, everyMs: 1_000, timeoutMs: 10_000, retries: 0 },
  ...more,
})
const newRunner = () => createCheckRunner({ clock, folder, killGraceMs: 200, leftoverGraceMs: 300 })

/** Runs a check once, and tells what the server would be told. */
async function run(script: string, more: Partial<AgentCheck> = {}) {
  const [made, printed, began] = [check(script, more), new Printed(), performance.now()]
  const end = await newRunner().run(made, { signal: new AbortController().signal, output: printed.write })
  const ms = performance.now() - began
  return { ...resultOf(made, end, printed.text, ms), ms }
}

async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
  return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z'
}

async function soon(condition: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (performance.now() < deadline) {
    if (await condition()) return true
    await clock.sleep(20)
  }
  return false
}

describe('a check', () => {
  it.each([
    ['echo fine', 'ok', 0, 'fine\n'],
    ['echo "92 %"; exit 1', 'warning', 1, '92 %\n'],
    ['echo full >&2; exit 2', 'failure', 2, 'full\n'],
    ['exit 1', 'warning', 1, 'it ended with exit code 1'],
    ['exit 3', 'failure', 3, 'it ended with exit code 3'],
    ['echo oh; kill -SEGV $$', 'failure', null, 'oh\n\na signal ended it: SIGSEGV'],
  ] as const)('that does "%s" says %s', async (script, level, exitCode, output) => {
    expect(await run(script)).toMatchObject({ check: 'disk', level, exitCode, output, timedOut: false })
  })

  it('that could not be started has failed, and says why', async () => {
    const output = 'it could not be started: there is no no-such-shell on this machine'
    const found = { level: 'failure', exitCode: null, output, timedOut: false }
    expect(await run('true', { interpreter: 'no-such-shell' })).toMatchObject(found)
  })

  it.each([
    ['hangs', 'echo "pid $$"; exec sleep 100'],
    ['hangs and does not end when it is asked to', 'trap "" TERM; echo "pid $$"; while true; do sleep 0.05; done'],
    ['waits for a child that hangs', 'sleep 100 & echo "pid $!"; wait'],
  ])('that %s is ended at its time', async (_, script) => {
    const { ms, output, ...found } = await run(script, { timeoutMs: 300 })
    expect(found).toMatchObject({ level: 'failure', timedOut: true })
    expect(output).toContain('it took longer than 300 ms')
    expect(ms).toBeLessThan(6_000)
    const pid = Number(/pid (\d+)/.exec(output)![1])
    expect(await soon(async () => !(await isRunning(pid)))).toBe(true)
  })

  it('that leaves a child behind which keeps its output open ends all the same, and the child with it', async () => {
    const { ms, output, level } = await run('(trap "" TERM; while true; do sleep 0.1; done) & echo "pid $!"')
    expect(level).toBe('ok')
    expect(ms).toBeLessThan(6_000)
    expect(await soon(async () => !(await isRunning(Number(/pid (\d+)/.exec(output)![1]))))).toBe(true)
  })

  it('that prints 20 MB is read to its end, and cut with a note', async () => {
    const { output, level } = await run('head -c 20000000 /dev/zero | tr "\\0" x; exit 1')
    expect(level).toBe('warning')
    expect(output).toHaveLength(4_096)
    expect(output).toMatch(/^x{4000,}\n\[cut off here: more than 4096 characters\]$/)
  })

  it('that prints too much and then hangs says both', async () => {
    const { output } = await run('head -c 9000 /dev/zero | tr "\\0" x; exec sleep 100', { timeoutMs: 300 })
    expect(output.length).toBeLessThanOrEqual(4_096)
    expect(output).toMatch(/x\n\[cut off here: .+\]\nit took longer than 300 ms$/)
  })

  it('runs in a folder of its own, with nothing of the agent’s own environment, and leaves nothing', async () => {
    process.env['REMUDA_TOKEN'] = 'rmd_join_secret'
    const { output } = await run('env; pwd; touch left')
    delete process.env['REMUDA_TOKEN']
    expect(output).not.toContain('secret')
    expect(output).toContain('REMUDA_CHECK=disk')
    expect(output).toContain(join(folder, 'checks', 'disk'))
    expect(await readdir(join(folder, 'checks'))).toEqual([])
  })

  it('that an earlier agent has left running is ended', async () => {
    const printed = new Printed()
    const signal = new AbortController().signal
    const running = newRunner().run(check('echo "pid $$"; exec sleep 100'), { signal, output: printed.write })
    await soon(() => printed.text.includes('\n'))
    await newRunner().clearAway()
    expect(await soon(async () => !(await isRunning(Number(/pid (\d+)/.exec(printed.text)![1]))))).toBe(true)
    await running
    expect(await readdir(join(folder, 'checks'))).toEqual([])
  })
})

describe('the checks of a machine', () => {
  const begin = (...checks: readonly AgentCheck[]) => {
    const told: Extract<AgentFrame, { type: 'check-result' }>[] = []
    const all = new Checks({ clock, log: silentLog, checkRunner: newRunner(), settings: { checksMax: 2 } })
    all.set('m-1', checks)
    all.attach((frame) => frame.type === 'check-result' && told.push(frame))
    return { all, told }
  }

  it('are tried again at once, and only the last try is told', async () => {
    const script = `echo tried >> ${join(folder, 'tries')}; [ $(wc -l < ${join(folder, 'tries')}) -ge 2 ]`
    const { all, told } = begin(check(script, { retries: 3 }))
    expect(await soon(() => told.length > 0)).toBe(true)
    await all.stop()
    expect(told[0]).toMatchObject({ level: 'ok', exitCode: 0 })
    // Two tries of the first run; a later one passes at once.
    expect((await readFile(join(folder, 'tries'), 'utf8')).trim().split('\n').length).toBe(1 + told.length)
  })

  it('end with the agent, also those that would rather not', async () => {
    const pidFile = join(folder, 'pid')
    const { all, told } = begin(check(`echo $$ > ${pidFile}; trap "" TERM; while true; do sleep 0.05; done`))
    expect(await soon(async () => (await readFile(pidFile, 'utf8').catch(() => '')) !== '')).toBe(true)
    const began = performance.now()
    await all.stop()
    expect(performance.now() - began).toBeLessThan(6_000)
    expect(await isRunning(Number(await readFile(pidFile, 'utf8')))).toBe(false)
    expect(told).toEqual([])
  })
})
