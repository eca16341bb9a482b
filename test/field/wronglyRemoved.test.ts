import { describe, expect, it } from 'vitest'
import { environmentId, names, Plane } from './plane.ts'

const minuteMs = 60_000
const fleet = names('web', 12)

// Each of these is a way in which other systems have removed machines that they should have kept, or kept those that
// were gone. They run the whole control plane with real agents, in virtual time.

describe('our own absence', () => {
  it('removes nobody, however long it lasts: the first look after it is no verdict', { timeout: 60_000 }, async () => {
    await using plane = await Plane.start()
    await plane.machinesIn('a', ...fleet)
    plane.cut(...fleet)
    await plane.pass(3 * minuteMs)
    await plane.end()
    await plane.pass(5 * 60 * minuteMs)
    await plane.begin()
    await plane.pass(2 * minuteMs)
    expect(plane.count('RemovalRequested')).toBe(0)
    plane.mend(...fleet)
    await plane.pass(30 * minuteMs)
    expect([plane.count('MachineDeregistered'), plane.troubles]).toEqual([0, []])
  })

  it('is not charged to a machine that really is gone: it goes when it has been seen silent for long enough', async () => {
    await using plane = await Plane.start({ dynamicRegistration: { startUpGraceMs: 0 } })
    await plane.machinesIn('a', ...fleet)
    plane.kill('web-1')
    await plane.until(() => plane.count('MachineBecameUnavailable', 'web-1') === 1)
    const since = plane.world.steadyMs()
    await plane.pass(4 * minuteMs)
    await plane.end()
    await plane.pass(60 * minuteMs)
    await plane.begin()
    await plane.until(() => plane.count('MachineDeregistered', 'web-1') === 1)
    const [removal] = plane.events('RemovalRequested', 'web-1')
    expect(removal!.data.observedMs).toBeGreaterThanOrEqual(10 * minuteMs)
    expect(plane.world.steadyMs() - since).toBeGreaterThanOrEqual(70 * minuteMs - 10_000)
  })

  it('between a verdict and its consequence loses neither', async () => {
    await using plane = await Plane.start({ dynamicRegistration: { startUpGraceMs: 0 } })
    await plane.machinesIn('a', ...fleet)
    plane.kill('web-1')
    await plane.until(() => plane.count('RemovalRequested', 'web-1') === 1)
    plane.server.crash()
    await plane.pass(minuteMs)
    await plane.begin()
    await plane.until(() => plane.count('MachineDeregistered', 'web-1') === 1)
    expect(plane.count('RemovalRequested', 'web-1')).toBe(1)
  })
})

describe('one server of ours that restarts', () => {
  it('replaces nobody and starts nothing', async () => {
    await using plane = await Plane.start()
    await plane.machinesIn('a', ...fleet)
    for (let restart = 0; restart < 3; restart++) {
      plane.server.crash()
      await plane.pass(20_000)
      await plane.begin()
      await plane.pass(minuteMs)
    }
    expect(plane.count('MachineBecameUnavailable')).toBe(0)
    expect(plane.count('RemovalRequested')).toBe(0)
  })
})

describe('a small fleet', () => {
  it('loses a dead machine although that is a large share of it', async () => {
    await using plane = await Plane.start({ dynamicRegistration: { startUpGraceMs: 0 } })
    await plane.machinesIn('a', 'web-1', 'web-2', 'web-3')
    plane.kill('web-1', 'web-2')
    await plane.until(() => plane.count('MachineDeregistered') === 2)
    expect(plane.count('RemovalWithheld')).toBe(0)
  })
})

describe('a machine that comes back', () => {
  it('after a short cut keeps its identity, and nothing was done about it', async () => {
    await using plane = await Plane.start()
    await plane.machinesIn('a', ...fleet)
    plane.cut('web-1')
    await plane.pass(3 * minuteMs)
    plane.mend('web-1')
    await plane.until(() => plane.count('MachineBecameHealthy', 'web-1') === 2)
    expect(plane.count('MachineDeregistered')).toBe(0)
    expect(plane.count('MachineRegistered', 'web-1')).toBe(1)
  })

  it('after its removal resumes its id, under its own name', async () => {
    await using plane = await Plane.start({ dynamicRegistration: { startUpGraceMs: 0 } })
    await plane.machinesIn('a', ...fleet)
    plane.cut('web-1')
    await plane.until(() => plane.count('MachineDeregistered', 'web-1') === 1)
    plane.mend('web-1')
    await plane.until(() => plane.count('MachineRegistered', 'web-1') === 2)
    const returned = plane.events('MachineRegistered', 'web-1')[1]!.data
    expect(returned).toMatchObject({ name: 'web-1', environmentId, returnedFrom: { kind: 'policy' } })
  })
})
