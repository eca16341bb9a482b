import { describe, expect, it } from 'vitest'
import { environmentId, names, Plane } from './plane.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const noGrace = { dynamicRegistration: { startUpGraceMs: 0 } }

/** When each machine was removed, in minutes after its power went, in a fleet of which so many die at once. */
async function removalsOf(dead: number, of: number): Promise<ReadonlyMap<string, number>> {
  await using plane = await Plane.start(noGrace)
  const fleet = names('web', of)
  await plane.machinesIn('a', ...fleet)
  const startMs = plane.world.steadyMs()
  plane.kill(...fleet.slice(0, dead))
  const removed = new Map<string, number>()
  for (let minute = 0; minute < 45; minute++) {
    await plane.pass(minuteMs)
    const elapsed = Math.round((plane.world.steadyMs() - startMs) / minuteMs)
    for (const name of plane.named('MachineDeregistered')) if (!removed.has(name)) removed.set(name, elapsed)
  }
  return removed
}

// 2a.5
describe('a worse outage', () => {
  it('never leads to faster removal, up to the whole of the fleet', { timeout: 120_000 }, async () => {
    const runs: ReadonlyMap<string, number>[] = []
    for (const dead of [1, 4, 5, 8, 11, 20]) runs.push(await removalsOf(dead, 20))
    expect(runs.map((removed) => removed.size)).toEqual([1, 4, 5, 8, 0, 0])
    for (const [index, worse] of runs.slice(1).entries())
      for (const [name, at] of worse)
        expect(at, name).toBeGreaterThanOrEqual(runs[index]!.get(name) ?? (index === 0 ? 0 : at))
  })

  it('freezes also the removals that are decided already', async () => {
    await using plane = await Plane.start(noGrace)
    const fleet = names('web', 12)
    await plane.machinesIn('a', ...fleet)
    plane.kill('web-1')
    plane.held.add('CarryOutRemoval')
    await plane.until(() => plane.count('RemovalRequested', 'web-1') === 1)
    plane.cut(...fleet.slice(1))
    await plane.until(() => plane.count('MachineBecameUnavailable') === fleet.length)
    plane.held.clear()
    await plane.pass(3 * hourMs)
    expect(plane.count('MachineDeregistered')).toBe(0)
    expect(plane.events('RemovalAbandoned').map(({ data }) => data.detail)).toEqual(['a mass failure began'])
    expect(plane.events('RemovalWithheld').map(({ data }) => data.machineId)).toContain(plane.idOf('web-1'))
  })
})

// 2a.9
describe('a small fleet', () => {
  it('loses a dead machine although that is a large share of it', async () => {
    await using plane = await Plane.start(noGrace)
    await plane.machinesIn('a', 'web-1', 'web-2', 'web-3')
    plane.kill('web-1', 'web-2')
    await plane.until(() => plane.count('MachineDeregistered') === 2)
    expect(plane.count('RemovalWithheld')).toBe(0)
  })

  it('whose removals are held back is told which, and until when, and keeps nothing held back after that', async () => {
    await using plane = await Plane.start(noGrace)
    await plane.machinesIn('a', ...names('web', 5))
    const lost = names('web', 3)
    plane.cut(...lost)
    await plane.until(() => plane.count('RemovalWithheld') === 3)
    expect(plane.named('RemovalWithheld')).toEqual(lost)
    for (const { data } of plane.events('RemovalWithheld')) expect(data.clearsWhen).toContain('or a person releases it')
    plane.mend(...lost)
    await plane.until(() => plane.count('RemovalsResumed') > 0 && plane.count('MassFailureCleared') > 0)
    const resumed = plane.events('RemovalsResumed').flatMap(({ data }) => data.machineIds)
    expect(resumed.toSorted()).toEqual(lost.map((name) => plane.idOf(name)).toSorted())
    await plane.pass(hourMs)
    expect(plane.count('MachineDeregistered')).toBe(0)
  })

  it('can have one machine let go by a person, and no other goes with it', async () => {
    await using plane = await Plane.start(noGrace)
    await plane.machinesIn('a', ...names('web', 6))
    plane.kill(...names('web', 4))
    await plane.until(() => plane.count('RemovalWithheld') === 4)
    const machineIds = [plane.idOf('web-2')]
    await plane.must('policy', 'ReleaseWithheldRemovals', { environmentId, machineIds })
    await plane.until(() => plane.count('MachineDeregistered') > 0)
    await plane.pass(hourMs)
    expect(plane.named('MachineDeregistered')).toEqual(['web-2'])
  })
})

// 2a.10
it('the guard is on without being asked for, and says of every machine what share and threshold hold it', async () => {
  await using plane = await Plane.start()
  const fleet = names('web', 12)
  await plane.machinesIn('a', ...fleet)
  await plane.pass(10 * minuteMs)
  plane.kill(...fleet.slice(0, 8))
  await plane.until(() => plane.count('RemovalWithheld') >= 8)
  await plane.pass(hourMs)
  expect(plane.count('MachineDeregistered')).toBe(0)
  for (const name of fleet.slice(0, 8)) {
    const withheld = plane.events('RemovalWithheld', name)
    expect(withheld).toHaveLength(1)
    const { share, thresholdShare, unavailable, registered } = withheld[0]!.data
    expect([unavailable, registered, thresholdShare]).toEqual([8, 12, 0.2])
    expect(share).toBeCloseTo(8 / 12)
  }
})
