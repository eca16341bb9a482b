import { describe, expect, it } from 'vitest'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { CheckSignal } from '#contracts/signals.ts'
import { checkSignal, environmentStream, machineStream } from '#contracts/subjects.ts'
import type { AgentSettings } from '#services/agent/settings.ts'
import { environmentId, startControl } from '../../gateway/control.ts'
import { createMachine, passed } from '../machine.ts'

const every = (name: string, everyMs: number, more: object = {}) => ({ name, script: 'true', everyMs, ...more })

/** A machine with an agent that is connected, in an environment whose policy has these checks. */
async function begin(checks: readonly object[], settings: Partial<AgentSettings> = {}) {
  const control = await startControl()
  const { clock } = control
  const told: CheckSignal[] = []
  control.bus.subscribe(checkSignal(0), ({ payload }) => void told.push(payload as CheckSignal))
  const policyIs = async (...now: readonly object[]) => {
    const policy = EnvironmentPolicy.parse({ health: { checks: now } })
    const data = { environmentId, policy, policyVersion: 2 }
    await control.append(environmentStream(environmentId), { type: 'EnvironmentPolicyChanged', data })
    await clock.advance(20)
  }
  await policyIs(...checks)
  const machine = createMachine(control)
  const isConnected = () => clock.run(() => control.gateway.connected() === 1, 60_000)
  const agent = machine.start(settings)
  await isConnected()
  await clock.advance(10)
  const machineId = JSON.parse(machine.files.text('identity.json')).enrolled.machineId as string
  const levels = () => told.map(({ level }) => level)
  return { control, clock, machine, agent, machineId, told, levels, policyIs, isConnected }
}

const ended = (exitCode: number) => ({ reason: 'exit-code', exitCode, detail: `it ended with ${exitCode}` }) as const
const disk = every('disk', 60_000)

/** Runs that are held until they are let go, or no longer wanted. */
function held() {
  const gates: (() => void)[] = []
  const running: string[] = []
  const check = ({ name }: { name: string }, { signal }: { signal: AbortSignal }) =>
    new Promise<typeof passed>((resolve) => {
      running.push(name)
      const end = () => {
        running.splice(running.indexOf(name), 1)
        resolve(passed)
      }
      signal.addEventListener('abort', end, { once: true })
      gates.push(end)
    })
  return { check, gates, running }
}

describe('the checks of a policy', () => {
  it('are each made at its time, and every run is told', async () => {
    const { clock, machine, machineId, told } = await begin([disk, every('load', 20_000)])
    await clock.advance(120_000)
    const made = (name: string) => machine.checked.filter((check) => check === name).length
    expect([made('disk'), made('load')]).toEqual([2, 6])
    expect(told).toHaveLength(8)
    expect(told[0]).toMatchObject({ machineId, level: 'ok', exitCode: 0 })
  })

  it('are not made at the start by a cron rule, and are made at its times', async () => {
    const { clock, machine } = await begin([{ name: 'dump', script: 'true', cron: '0 4 * * *' }])
    await clock.advance(60_000)
    expect(machine.checked).toEqual([])
    await clock.advance(2 * 86_400_000)
    expect(machine.checked).toEqual(['dump', 'dump'])
  })

  it('keep their times over a restart of the agent', async () => {
    const { clock, machine, agent, told, isConnected } = await begin([disk])
    await clock.run(() => told.length === 1, 60_000)
    const firstMs = clock.steadyMs()
    agent.crash()
    machine.start()
    await isConnected()
    await clock.run(() => told.length === 2, 120_000)
    expect(Math.abs(clock.steadyMs() - firstMs - 60_000)).toBeLessThan(10)
  })

  it('are tried again before a warning or a failure is told', async () => {
    const { clock, machine, told } = await begin([{ ...disk, retries: 2 }])
    const ends = [ended(2), ended(1), passed]
    machine.check = async () => ends.shift() ?? ended(1)
    await clock.run(() => told.length === 2, 180_000)
    expect(told.map(({ level }) => level)).toEqual(['ok', 'warning'])
    expect(machine.checked).toHaveLength(6)
  })

  it('never overlap themselves, and are made at most so many at once', async () => {
    const { check, gates, running } = held()
    const all = ['a', 'b', 'c'].map((name) => every(name, 10_000, { timeoutMs: '1s' }))
    const { clock, machine } = await begin(all, { checksMax: 2 })
    machine.check = check
    await clock.advance(100_000)
    expect(machine.checked).toHaveLength(2)
    expect(new Set(running).size).toBe(2)
    gates[0]!()
    await clock.advance(100)
    expect(running).toHaveLength(2)
    expect(new Set(machine.checked)).toEqual(new Set(['a', 'b', 'c']))
  })

  it('hold up no task', async () => {
    const { check, running } = held()
    const { control, clock, machine, machineId } = await begin([disk], { checksMax: 1, tasksMax: 1 })
    machine.check = check
    await clock.run(() => running.length === 1, 60_000)
    await control.dispatch(machineId, 'one')
    await clock.run(() => control.commands('RecordTaskResult').length === 1, 5_000)
    expect(machine.runs).toEqual(['one'])
    expect(running).toEqual(['disk'])
  })

  it('go on without the server, and the latest result of each is told when it is back', async () => {
    const { clock, machine, levels, isConnected } = await begin([disk])
    await clock.run(() => levels().length === 1, 60_000)
    machine.network.state.isDown = true
    machine.network.drop()
    machine.check = async () => ended(1)
    await clock.advance(61_000)
    machine.check = async () => ended(2)
    await clock.advance(61_000)
    expect(levels()).toEqual(['ok'])
    machine.network.state.isDown = false
    await isConnected()
    await clock.advance(10)
    expect(levels()).toEqual(['ok', 'failure'])
    expect(machine.log.lines).toContain('a check of this machine says failure')
  })

  it.each([
    ['taken out of the policy', async ({ policyIs }: Begun) => policyIs()],
    [
      'no longer wanted, since the machine is disabled',
      async ({ control, clock, machineId }: Begun) => {
        await control.append(machineStream(machineId), { type: 'MachineDisabled', data: { machineId, reason: 'x' } })
        await clock.advance(10)
      },
    ],
    [
      'of a machine that was removed',
      async ({ control, clock, machineId }: Begun) => {
        await control.remove(machineId, 'person', 'sold')
        await clock.advance(10)
      },
    ],
  ])('that are %s are ended and made no more, and their results are forgotten', async (_, end) => {
    const begun = await begin([disk])
    const { clock, machine, told } = begun
    await clock.run(() => told.length === 1, 60_000)
    const { check, running } = held()
    machine.check = check
    await clock.run(() => running.length === 1, 60_000)
    await end(begun)
    expect(running).toEqual([])
    const { length } = machine.checked
    machine.network.drop()
    await clock.advance(300_000)
    expect(machine.checked).toHaveLength(length)
    expect(machine.network.state.framesSent.filter((type) => type === 'check-result')).toHaveLength(1)
  })

  it('that were changed begin anew, and not before what they were has ended', async () => {
    const { clock, machine, levels, policyIs } = await begin([disk])
    const scripts: string[] = []
    let end = (): void => expect.unreachable()
    machine.check = ({ script }) =>
      new Promise((resolve) => {
        scripts.push(script)
        end = () => resolve(passed)
      })
    await clock.run(() => scripts.length === 1, 60_000)
    await policyIs({ ...disk, script: 'false', everyMs: 40_000 })
    await clock.advance(80_000)
    expect(scripts).toEqual(['true'])
    end()
    await clock.advance(80_000)
    expect(scripts).toEqual(['true', 'false'])
    expect(levels()).toEqual([])
  })

  it('that stay as they were keep their time and their result when another comes', async () => {
    const { clock, told, policyIs, machine } = await begin([disk])
    await clock.run(() => told.length === 1, 60_000)
    const firstMs = clock.steadyMs()
    await policyIs(disk, every('rare', 6 * 86_400_000))
    machine.network.drop()
    // Told again once the agent is back, long before the check is made again.
    expect(await clock.run(() => told.length === 2, 5_000)).toBe(true)
    expect(machine.checked).toEqual(['disk'])
    await clock.run(() => told.length === 3, 60_000)
    expect(clock.steadyMs() - firstMs).toBeLessThanOrEqual(60_010)
  })
})

type Begun = Awaited<ReturnType<typeof begin>>
