import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { BacktestReply } from '#contracts/backtest.ts'
import type { EventRow } from '#contracts/eventRow.ts'
import type { MachineRow } from '#contracts/rows.ts'
import { Remuda, until } from '#test/support/remuda.ts'
import { createZone, type Zone } from '#test/support/zone.ts'

const machinesPerZone = 20
const limitMs = 120_000
const removeAfterMs = 8_000
const unavailableAfterMs = 6_000
const policy = {
  health: { heartbeatEveryMs: '1s', lateAfterMs: '3s', unavailableAfterMs },
  dynamicRegistration: { removeAfterMs, startUpGraceMs: 0 },
  // After many have come back together, the others are given this long to do the same.
  guard: { windowMs: '10s' },
  automaticDeployments: { enabled: false },
}

interface Stage {
  readonly remuda: Remuda
  readonly zones: Readonly<Record<'a' | 'b', Zone>>
}

describe('forty machines in two zones', () => {
  it('lose nobody to a cut or to our own absence, and those that are dead in time', { timeout: 400_000 }, async () => {
    await using remuda = await Remuda.start(['--host', '0.0.0.0'])
    const port = Number(new URL(remuda.url).port)
    await using a = await createZone(1, port)
    await using b = await createZone(2, port)
    const stage: Stage = { remuda, zones: { a, b } }
    const startedAt = Date.now()
    await startFleet(stage)

    await cutOneZone(stage)
    await stopTheServer(stage)
    const dead = await killThree(stage)
    await compareWithBacktest(stage, startedAt, dead)
  })
})

async function startFleet({ remuda, zones }: Stage): Promise<void> {
  await remuda.ask('POST', 'environments', { id: 'production', policy })
  const token = await remuda.joinToken('production', ['web'])
  for (const zone of ['a', 'b'] as const)
    for (let number = 1; number <= machinesPerZone; number++) {
      const flags = [
        '--reconnect-max',
        '2s',
        '--token',
        token,
        '--role',
        'web',
        '--attribute',
        `zone=${zone}`,
        '--log-level',
        'warn',
      ]
      remuda.startAgent(`${zone}-${number}`, flags, {}, zones[zone])
    }
  await untilHealthy(remuda, 2 * machinesPerZone)
}

/** Whoever is cut off is silent together: all of it is one incident, and nobody of it is removed. */
async function cutOneZone({ remuda, zones }: Stage): Promise<void> {
  await zones.b.cut()
  const withheld = async () => (await events(remuda, 'RemovalWithheld')).length === machinesPerZone
  await until('every removal of the zone is withheld', limitMs, withheld)
  await sleep(removeAfterMs)
  expect(await events(remuda, 'MachineDeregistered')).toEqual([])
  const open = await incidents(remuda, 'open')
  expect(open).toHaveLength(1)

  await zones.b.mend()
  await untilHealthy(remuda, 2 * machinesPerZone)
  await until('the incident is over', limitMs, async () => (await incidents(remuda, 'open')).length === 0)
  expect(await events(remuda, 'MachineDeregistered')).toEqual([])
  expect(await events(remuda, 'RemovalWithheld')).toHaveLength(machinesPerZone)
}

/** We are away for longer than it takes to remove a machine. */
async function stopTheServer({ remuda }: Stage): Promise<void> {
  await remuda.server!.end()
  await sleep(removeAfterMs + unavailableAfterMs + 2_000)
  await remuda.startServer(['--host', '0.0.0.0'])
  await sleep(unavailableAfterMs + 2_000)
  await untilHealthy(remuda, 2 * machinesPerZone)
  expect(await events(remuda, 'MachineDeregistered')).toEqual([])
  expect((await events(remuda, 'ObservationGapEnded')).length).toBeGreaterThan(0)
}

/** Dead machines go when they were seen silent for long enough; a restart in the meantime is not counted. */
async function killThree({ remuda }: Stage): Promise<readonly string[]> {
  const names = ['a-1', 'a-2', 'a-3']
  const killedMs = performance.now()
  await Promise.all(names.map((name) => remuda.agents.get(name)!.end('SIGKILL')))
  await until('they are missed', limitMs, async () => (await rows(remuda, 'unavailable')).length === names.length)
  await remuda.server!.end()
  const awayMs = 5_000
  await sleep(awayMs)
  await remuda.startServer(['--host', '0.0.0.0'])

  const removed = await until('they are removed', limitMs, async () => {
    const gone = await events(remuda, 'MachineDeregistered')
    return gone.length === names.length && gone
  })
  const tookMs = performance.now() - killedMs
  expect(tookMs).toBeGreaterThan(unavailableAfterMs + removeAfterMs + awayMs)
  expect(removed.map(({ data }) => (data as { name: string }).name).toSorted()).toEqual(names)
  for (const { data } of removed) {
    const { observedMs, unavailableSince } = (data as { evidence: { observedMs: number; unavailableSince: number } })
      .evidence
    expect(observedMs).toBeGreaterThanOrEqual(removeAfterMs)
    // What was not observed is not charged: by the clock it was silent for that much longer.
    expect(Date.now() - unavailableSince).toBeGreaterThan(observedMs + awayMs - 1_000)
  }
  await untilHealthy(remuda, 2 * machinesPerZone - names.length)
  return removed.map(({ data }) => (data as { machineId: string }).machineId).toSorted()
}

/** The very same policy, asked what it would have done, says what was done. */
async function compareWithBacktest({ remuda }: Stage, fromAt: number, dead: readonly string[]): Promise<void> {
  const said = await remuda.ask<BacktestReply>('POST', 'environments/production/policy/backtest', { fromAt })
  const { proposed, difference } = said
  expect(proposed.removed.items.map(({ machineId }) => machineId).toSorted()).toEqual(dead)
  expect([proposed.removed.count, proposed.withheld.count]).toEqual([dead.length, machinesPerZone])
  for (const { onlyProposed, onlyActual, both } of [difference.removed, difference.withheld]) {
    expect([onlyProposed.count, onlyActual.count]).toEqual([0, 0])
    // Policy looks once a second.
    for (const { differenceMs } of both.items) expect(Math.abs(differenceMs)).toBeLessThan(2_000)
  }
}

const untilHealthy = (remuda: Remuda, count: number) =>
  until(`${count} machines are healthy`, limitMs, async () => (await rows(remuda, 'healthy')).length === count)

const rows = async (remuda: Remuda, status: string) =>
  (await remuda.ask<{ items: readonly MachineRow[] }>('GET', `machines?status=${status}&limit=100`)).items

const events = async (remuda: Remuda, type: string) =>
  (await remuda.ask<{ items: readonly EventRow[] }>('GET', `events?type=${type}&limit=1000`)).items

const incidents = async (remuda: Remuda, state: string) =>
  (await remuda.ask<{ items: readonly unknown[] }>('GET', `incidents?state=${state}`)).items
