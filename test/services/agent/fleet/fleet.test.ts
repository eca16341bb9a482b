import { describe, expect, it, onTestFinished } from 'vitest'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Recorded } from '#contracts/message.ts'
import type { Behaviour } from '#services/agent/fleet/behaviour.ts'
import { createDice } from '#services/agent/fleet/dice.ts'
import { runFleet, type FleetOptions } from '#services/agent/fleet/fleet.ts'
import { Tally } from '#services/agent/fleet/tally.ts'
import { startControl } from '../../gateway/control.ts'
import { joinToken } from '../machine.ts'
import { createNetwork } from '../network.ts'

const count = 20
const calm: Behaviour = {
  ...{ script: { minMs: 1_000, maxMs: 2_000 }, logLines: 0, logLineChars: 80 },
  ...{ failureRate: 0, deathRate: 0, returnRate: 1, returnAfter: { minMs: 5_000, maxMs: 10_000 } },
}

async function startFleet(behaviour: Partial<Behaviour> = {}, more: Partial<FleetOptions> = {}) {
  const control = await startControl()
  const { clock } = control
  const network = createNetwork(control, clock)
  const tally = new Tally()
  const stop = new AbortController()
  const options: FleetOptions = {
    ...{ count, seed: 1, name: 'sim', roles: ['web'], attributes: [{ key: 'zone', values: ['a', 'b'] }], joinRate: 10 },
    ...{ joinToken, behaviour: { ...calm, ...behaviour }, durationMs: null, ...more },
  }
  const ended = runFleet(options, { clock, tally, ...network }, stop.signal)
  let isOver = false
  ended.then(
    () => (isOver = true),
    () => (isOver = true),
  )
  onTestFinished(() => stop.abort())
  const machineIds = async () => {
    const all = (await control.store.readAll(0, 1_000)) as readonly Recorded<MachineEvent>[]
    return all.flatMap(({ type, data }) => (type === 'MachineRegistered' ? [data.machineId] : []))
  }
  return {
    ...{ control, clock, network, tally, stop, ended, machineIds },
    isOver: () => isOver,
    until: (condition: () => boolean, limitMs = 120_000) => clock.run(condition, limitMs),
    async dispatchToAll() {
      for (const id of await machineIds()) await control.dispatch(id, `task-${id}`)
    },
    outcomes: () =>
      control.commands('RecordTaskResult').map(({ command }) => {
        const { result } = command.data as { result: { outcome: string; reason?: string } }
        return result.reason ?? result.outcome
      }),
  }
}

describe('a fleet of simulated machines', () => {
  it('joins at its pace, each machine with its own name, attributes and key', async () => {
    const { control, clock, tally, machineIds } = await startFleet()
    await clock.advance(1_000)
    expect(tally.joined).toBeGreaterThan(8)
    expect(tally.joined).toBeLessThan(12)
    await clock.advance(1_500)
    expect([tally.joined, tally.connected]).toEqual([count, count])
    expect(new Set(await machineIds()).size).toBe(count)
    const asked = control.commands('EnrollMachine').map(({ command }) => command.data) as readonly {
      name: string
      attributes: { zone: string }
    }[]
    expect(asked[0]).toMatchObject({ name: 'sim-00001', roles: ['web'], attributes: { zone: 'a' } })
    expect(asked.filter(({ attributes }) => attributes.zone === 'b')).toHaveLength(count / 2)
  })

  it('runs what it is given by the real protocol: starts, prints, ends, some badly', async () => {
    const { control, tally, until, dispatchToAll, outcomes } = await startFleet({ failureRate: 0.3, logLines: 25 })
    await until(() => tally.connected === count)
    await dispatchToAll()
    expect(await until(() => tally.stored.results === count)).toBe(true)
    expect(control.commands('RecordTaskStarted')).toHaveLength(count)
    const failed = outcomes().filter((outcome) => outcome === 'exit-code').length
    expect(failed).toBeGreaterThan(0)
    expect(failed).toBeLessThan(count)
    expect(tally.scripts).toMatchObject({ started: count, running: 0, failed, succeeded: count - failed })
    expect(tally.logLines).toBe(count * 25)
    for (const [taskId, chunks] of control.logs) {
      const lines = chunks.join('').trimEnd().split('\n')
      expect(lines).toHaveLength(25)
      expect(lines[24]).toContain(`line 25 of ${taskId} `)
      expect(new Set(lines.map((line) => line.length))).toEqual(new Set([79]))
    }
  })

  it('dies under its tasks and says so when it comes back', async () => {
    const behaviour = { deathRate: 0.99, script: { minMs: 60_000, maxMs: 60_000 } }
    const { control, tally, until, dispatchToAll, outcomes } = await startFleet(behaviour)
    await until(() => control.gateway.connected() > 15)
    await dispatchToAll()
    expect(await until(() => tally.returned > 5)).toBe(true)
    expect(tally.scripts.dead).toBeGreaterThan(0)
    await until(() => outcomes().length > 3)
    expect(outcomes()).toContain('interrupted')
    // A machine that is dead has said nothing since.
    expect(tally.connected).toBe(control.gateway.connected())
  })

  it('stays dead when nobody is to come back', async () => {
    const { control, clock, tally, isOver } = await startFleet({ deathRate: 1, returnRate: 0 })
    await clock.advance(70_000)
    expect(tally).toMatchObject({ joined: count, died: count, returned: 0, connected: 0 })
    expect(control.gateway.connected()).toBe(0)
    expect(isOver()).toBe(false)
  })

  it('ends cleanly when it is stopped: every machine takes its leave', async () => {
    const { control, clock, tally, stop, network, until, isOver, dispatchToAll, outcomes } = await startFleet({
      script: { minMs: 60_000, maxMs: 60_000 },
    })
    await until(() => tally.connected === count)
    await dispatchToAll()
    await clock.advance(2_000)
    stop.abort()
    expect(await until(isOver, 10_000)).toBe(true)
    expect(network.state.framesSent.filter((type) => type === 'leaving')).toHaveLength(count)
    expect(outcomes().filter((outcome) => outcome === 'interrupted')).toHaveLength(count)
    await clock.advance(200_000)
    expect(control.gateway.connected()).toBe(0)
  })

  it('ends by itself when its time is over', async () => {
    const { until, isOver } = await startFleet({}, { durationMs: 30_000 })
    expect(await until(isOver, 25_000)).toBe(false)
    expect(await until(isOver, 10_000)).toBe(true)
  })

  it('gives up at once, with the code, when its first machine is refused or finds nobody', async () => {
    const refused = await startFleet({}, { joinToken: joinToken.replace('e1', 'unknown') })
    refused.ended.catch(() => {})
    await refused.clock.advance(1_000)
    await expect(refused.ended).rejects.toThrow('ENROLLMENT_UNKNOWN: There is no such join token.')

    const alone = await startFleet()
    alone.network.state.isDown = true
    alone.ended.catch(() => {})
    await alone.clock.advance(1_000)
    await expect(alone.ended).rejects.toThrow('SERVER_UNREACHABLE: connection refused')
  })

  it('rides out an outage that comes later, and counts it', async () => {
    const { clock, tally, network, until } = await startFleet()
    await until(() => tally.connected === count)
    network.state.isDown = true
    network.drop()
    await clock.advance(60_000)
    expect(tally.connected).toBe(0)
    expect(tally.troubles.get('CONNECT_FAILED')).toBeGreaterThan(count)
    network.state.isDown = false
    expect(await until(() => tally.connected === count)).toBe(true)
  })
})

describe('the dice of a fleet', () => {
  const rolls = (seed: number, part: number) => Array.from({ length: 1_000 }, createDice(seed, part))
  it('fall the same way for the same seed and machine, and differently for others', () => {
    expect(rolls(1, 2)).toEqual(rolls(1, 2))
    expect(rolls(1, 2)[0]).not.toBe(rolls(1, 3)[0])
    expect(rolls(1, 2)[0]).not.toBe(rolls(2, 2)[0])
  })
  it('fall evenly, for one machine and over all of them', () => {
    const mean = (all: readonly number[]) => all.reduce((sum, roll) => sum + roll, 0) / all.length
    expect(Math.abs(mean(rolls(7, 7)) - 0.5)).toBeLessThan(0.05)
    const firsts = Array.from({ length: 1_000 }, (_, part) => createDice(7, part)())
    expect(Math.abs(mean(firsts) - 0.5)).toBeLessThan(0.05)
  })
})
