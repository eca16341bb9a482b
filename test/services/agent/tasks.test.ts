import { describe, expect, it } from 'vitest'
import { PackageFault } from '#services/agent/packages/fault.ts'
import type { RunOutcome } from '#services/agent/ports.ts'
import { readyAt, startMachine, succeeded } from './machine.ts'

const never = () => new Promise<RunOutcome>(() => {})

const shop = { projectId: 'shop', name: 'shop', version: '1.0.0', digest: 'a'.repeat(64), sizeBytes: 3, url: null }

describe('a task with a package', () => {
  it('installs it first, tells of it in its log, and gives the script its folder and the one before', async () => {
    const { control, clock, machine, machineId, until, results } = await startMachine()
    const environments: Record<string, string>[] = []
    const done: string[] = []
    machine.prepare = async (order, { key, say }) => {
      expect([order, key.machineId]).toEqual([shop, machineId])
      say('package shop 1.0.0\n')
      return readyAt('/releases/shop/1', done)
    }
    machine.script = async ({ environment }, { cwd }) => {
      environments.push(environment)
      done.push(`ran in ${cwd}`)
      return succeeded
    }
    await control.dispatch(machineId, 'one', { package: shop, environment: { A: '1' } })
    await until(() => results().length === 1)
    await clock.advance(100)
    const own = {
      REMUDA_PACKAGE_DIR: '/releases/shop/1',
      REMUDA_PACKAGE_PREVIOUS_DIR: '',
      REMUDA_PACKAGE_VERSION: '1.0.0',
    }
    expect(environments).toEqual([{ A: '1', ...own }])
    expect(done).toEqual(['ran in /releases/shop/1', 'in use', 'let go'])
    expect(control.logs.get('one')).toEqual(['package shop 1.0.0\n'])
  })

  it.each([
    ['PACKAGE_DOWNLOAD_FAILED', 'download-failed'],
    ['PACKAGE_DOWNLOAD_LATE', 'download-failed'],
    ['PACKAGE_DIGEST_WRONG', 'digest-wrong'],
    ['PACKAGE_LINK_UNSAFE', 'archive-refused'],
    ['PACKAGE_TOO_LARGE', 'archive-refused'],
    ['PACKAGE_DISK_FULL', 'could-not-start'],
  ] as const)('that cannot be installed for %s fails as %s, and its script never begins', async (code, reason) => {
    const { control, machine, machineId, until, results } = await startMachine()
    machine.prepare = () => Promise.reject(new PackageFault(code, 'as it is'))
    await control.dispatch(machineId, 'one', { package: shop })
    await until(() => results().length === 1)
    expect(results()[0]).toMatchObject({ outcome: 'failed', reason })
    expect(results()[0]!.detail).toContain(`${code}: as it is`)
    expect(machine.runs).toEqual([])
  })

  it('whose script fails leaves in use what was in use', async () => {
    const { control, machine, machineId, until, results } = await startMachine()
    const done: string[] = []
    machine.prepare = async () => readyAt('/new', done)
    machine.script = async () => ({ outcome: 'failed', reason: 'exit-code', exitCode: 3, detail: 'it ended' })
    await control.dispatch(machineId, 'one', { package: shop })
    await until(() => results().length === 1)
    expect(results()[0]).toMatchObject({ outcome: 'failed', reason: 'exit-code' })
    expect(done).toEqual(['let go'])
  })

  it('and no script is only unpacked and taken into use', async () => {
    const { control, machine, machineId, until, results } = await startMachine()
    const done: string[] = []
    machine.prepare = async () => readyAt('/new', done)
    await control.dispatch(machineId, 'one', { package: shop, script: '' })
    await until(() => results().length === 1)
    expect([results()[0]!.outcome, done, machine.runs]).toEqual(['succeeded', ['in use', 'let go'], []])
  })

  it('has one time limit for the download and the script', async () => {
    const { control, clock, machine, machineId, until, results } = await startMachine()
    const limits: number[] = []
    machine.prepare = async () => {
      await clock.sleep(4_000)
      return readyAt('/new')
    }
    machine.script = async ({ timeLimitMs }) => {
      limits.push(timeLimitMs)
      return succeeded
    }
    await control.dispatch(machineId, 'one', { package: shop, timeLimitMs: 10_000 })
    await until(() => results().length === 1)
    machine.prepare = (_, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    await control.dispatch(machineId, 'two', { package: shop, timeLimitMs: 10_000 })
    await until(() => results().length === 2)
    expect(limits).toEqual([6_000])
    expect(results()[1]).toMatchObject({ outcome: 'failed', reason: 'time-limit' })
  })

  it('that is cancelled meanwhile says so', async () => {
    const { control, machine, machineId, until, results } = await startMachine()
    let installing = false
    machine.prepare = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        installing = true
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      })
    await control.dispatch(machineId, 'one', { package: shop })
    await until(() => installing)
    await control.cancelTask(machineId, 'one', 'wrong version')
    await until(() => results().length === 1)
    expect(results()[0]).toMatchObject({ outcome: 'failed', reason: 'cancelled' })
    expect(results()[0]!.detail).toContain('wrong version')
    expect(machine.runs).toEqual([])
  })
})

describe('a task', () => {
  it('runs, and its log and result are stored and forgotten', async () => {
    const { control, machine, machineId, until, results } = await startMachine()
    machine.script = async (_, { output }) => {
      output('hello\n')
      return { outcome: 'succeeded', outputs: { url: 'http://x' } }
    }
    await control.dispatch(machineId, 'one')
    await until(() => results().length === 1)
    await control.clock.advance(100)
    expect(results()[0]).toMatchObject({ outcome: 'succeeded', outputs: { url: 'http://x' }, logTruncated: false })
    expect(control.logs.get('one')).toEqual(['hello\n'])
    expect(control.commands('RecordTaskStarted')).toHaveLength(1)
    expect(machine.files.names().filter((name) => name.startsWith('logs/'))).toEqual([])
    expect(machine.files.text('journal.log')).toContain('"reported"')
  })

  it('never runs twice, however often it is handed out', async () => {
    const { control, machine, agent, machineId, until, results } = await startMachine()
    await control.dispatch(machineId, 'one')
    await until(() => results().length === 1)
    // The server forgets, as after a restore from a backup, and hands it out again and again.
    for (let times = 0; times < 3; times++) {
      await control.dispatch(machineId, 'one')
      await control.clock.advance(100)
    }
    agent.crash()
    await until(() => control.gateway.connected() === 0)
    await control.dispatch(machineId, 'one')
    machine.start()
    await until(() => results().length === 5)
    expect(machine.runs).toEqual(['one'])
    expect(new Set(results().map((result) => JSON.stringify(result))).size).toBe(1)
  })

  it('that was running when the agent died is reported as interrupted, with its log, and never run again', async () => {
    const { control, clock, machine, agent, machineId, until, results } = await startMachine()
    machine.script = async (_, { output }) => {
      output('half way\n')
      return never()
    }
    await control.dispatch(machineId, 'one')
    await until(() => machine.runs.length === 1)
    machine.network.state.isCut = true
    await clock.advance(1_000)
    agent.crash()
    machine.network.state.isCut = false
    machine.start()
    await until(() => results().length === 1)
    expect(results()[0]).toMatchObject({ outcome: 'failed', reason: 'interrupted' })
    expect(control.logs.get('one')).toEqual(['half way\n'])
    expect(machine.runs).toEqual(['one'])
    expect(machine.cleared).toEqual(['one'])
  })

  it('that had ended but was not reported is reported after a crash', async () => {
    const { control, machine, agent, machineId, until, results } = await startMachine()
    machine.script = async () => {
      machine.network.state.isDown = true
      machine.network.drop()
      return succeeded
    }
    await control.dispatch(machineId, 'one')
    await until(() => machine.files.text('journal.log').includes('"finished"'))
    agent.crash()
    machine.network.state.isDown = false
    machine.start()
    await until(() => results().length === 1)
    expect(results()[0]).toMatchObject({ outcome: 'succeeded' })
    expect(machine.runs).toEqual(['one'])
  })

  it('runs at most once and always gets a result, wherever the agent dies', async () => {
    for (let dieAfterMs = 0; dieAfterMs <= 16; dieAfterMs++) {
      const { control, clock, machine, agent, machineId, until, results } = await startMachine()
      machine.script = async () => {
        await clock.sleep(5)
        return succeeded
      }
      await control.dispatch(machineId, 'one')
      await clock.advance(dieAfterMs)
      agent.crash()
      if (dieAfterMs % 2 === 0) machine.files.losePower(dieAfterMs)
      machine.start()
      expect(await until(() => results().length > 0)).toBe(true)
      await clock.advance(60_000)
      expect(machine.runs.length, `died after ${dieAfterMs} ms`).toBeLessThanOrEqual(1)
      const isSuccess = results()[0]?.outcome === 'succeeded'
      if (isSuccess) expect(machine.runs).toHaveLength(1)
    }
  })

  it('goes on while the connection is lost, and is reported over the next one; a log is resumed where it was', async () => {
    const { control, clock, machine, machineId, until, results } = await startMachine()
    machine.script = async (_, { output }) => {
      for (let line = 1; line <= 60; line++) {
        output(`line ${line}\n`)
        await clock.sleep(1_000)
      }
      return succeeded
    }
    await control.dispatch(machineId, 'one')
    await clock.advance(10_000)
    machine.network.drop()
    await clock.advance(20_000)
    machine.network.state.isDown = true
    machine.network.drop()
    await clock.advance(10_000)
    machine.network.state.isDown = false
    await until(() => results().length === 1, 120_000)
    const lines = control.logs.get('one')!.join('').trim().split('\n')
    expect(lines).toEqual(Array.from({ length: 60 }, (_, at) => `line ${at + 1}`))
    expect(machine.runs).toEqual(['one'])
  })

  it('gives signs of life while it runs', async () => {
    const { control, clock, machine, machineId } = await startMachine()
    machine.script = never
    await control.dispatch(machineId, 'one')
    await clock.advance(100_000)
    expect(control.leases.length).toBeGreaterThanOrEqual(3)
  })

  it('with a large log is sent in order and with few chunks under way', async () => {
    const { control, machine, machineId, until, results } = await startMachine()
    const text = Array.from({ length: 40_000 }, (_, at) => String(at)).join(' ')
    machine.script = async (_, { output }) => {
      output(text)
      return succeeded
    }
    await control.dispatch(machineId, 'one', { logCharsMax: 1_000_000 })
    await until(() => results().length === 1)
    expect(control.logs.get('one')!.join('')).toBe(text)
  })

  it('that is cancelled while it runs is told to end', async () => {
    const { control, machine, machineId, until, results } = await startMachine()
    machine.script = (_, { signal }) =>
      new Promise((resolve) => {
        const end = () => resolve({ outcome: 'failed', reason: signal.reason, exitCode: null, detail: '' })
        signal.addEventListener('abort', end)
      })
    await control.dispatch(machineId, 'one')
    await until(() => machine.runs.length === 1)
    await control.cancelTask(machineId, 'one', 'not wanted')
    await until(() => results().length === 1)
    expect(results()[0]).toMatchObject({ reason: 'cancelled', detail: 'not wanted' })
  })

  it('that is cancelled before it is heard of never begins', async () => {
    const { control, machine, agent, machineId, until, results } = await startMachine()
    agent.crash()
    await until(() => control.gateway.connected() === 0)
    await control.dispatch(machineId, 'one')
    await control.cancelTask(machineId, 'one', 'not wanted')
    machine.start()
    await until(() => results().length === 1)
    expect(results()[0]).toMatchObject({ reason: 'cancelled', detail: 'not wanted' })
    expect(machine.runs).toEqual([])
  })

  it('does not begin when the journal cannot be written, and says so', async () => {
    const { control, machine, machineId, until, results } = await startMachine()
    machine.files.fault.error = new Error('no space left on device')
    await control.dispatch(machineId, 'one')
    await until(() => results().length === 1)
    expect(results()[0]).toMatchObject({ reason: 'could-not-start', detail: expect.stringContaining('no space left') })
    expect(machine.runs).toEqual([])
  })

  it('from before a restore of the store is left alone', async () => {
    const { control, clock, machine, machineId } = await startMachine()
    await control.dispatch(machineId, 'one', { epoch: 0 })
    await clock.advance(1_000)
    expect(machine.runs).toEqual([])
  })

  it('that runs when the agent is stopped gets a grace, is ended and reported, all before the goodbye', async () => {
    const { control, clock, machine, agent, machineId, until, results } = await startMachine()
    machine.script = (_, { signal }) =>
      new Promise((resolve) => {
        const end = () => resolve({ outcome: 'failed', reason: signal.reason, exitCode: null, detail: '' })
        signal.addEventListener('abort', end)
      })
    await control.dispatch(machineId, 'one')
    await until(() => machine.runs.length === 1)
    agent.stop()
    await clock.advance(4_000)
    expect(results()).toEqual([])
    await clock.advance(4_000)
    await agent.ended
    expect(results()[0]).toMatchObject({ reason: 'interrupted', detail: 'the agent was asked to stop' })
    expect(machine.network.state.framesSent.slice(-2)).toEqual(['task-result', 'leaving'])
  })
})
