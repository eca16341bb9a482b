import { describe, expect, it } from 'vitest'
import { environmentStream } from '#contracts/subjects.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import type { ProviderSource } from '#services/policy/provider/provider.ts'
import { bare } from './orders.ts'
import { environmentId, names, Plane } from './plane.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const fleet = names('web', 12)
const noGrace = { dynamicRegistration: { startUpGraceMs: 0 } }

// Each of these is a way in which other systems have removed machines that they should have kept, or kept those that
// were gone. They run the whole control plane with real agents, in virtual time. The numbers are those of field.md 2a.

// 2a.1
describe('our own absence', () => {
  it('removes nobody, however long it lasts: the first look after it is no verdict', { timeout: 60_000 }, async () => {
    await using plane = await Plane.start()
    await plane.machinesIn('a', ...fleet)
    plane.cut(...fleet)
    await plane.pass(3 * minuteMs)
    await plane.end()
    await plane.pass(5 * hourMs)
    await plane.begin()
    await plane.pass(2 * minuteMs)
    expect(plane.count('RemovalRequested')).toBe(0)
    plane.mend(...fleet)
    await plane.pass(30 * minuteMs)
    expect([plane.count('MachineDeregistered'), plane.troubles]).toEqual([0, []])
  })

  it('that outlasts the window removes nobody although the guard is off and all were silent before it', async () => {
    await using plane = await Plane.start({ ...noGrace, guard: { enabled: false } })
    await plane.machinesIn('a', ...fleet)
    plane.cut(...fleet)
    await plane.pass(3 * minuteMs)
    await plane.end()
    await plane.pass(5 * hourMs)
    plane.mend(...fleet)
    await plane.begin()
    await plane.pass(30 * minuteMs)
    expect([plane.count('RemovalRequested'), plane.count('MachineDeregistered')]).toEqual([0, 0])
  })

  it('is not charged to a machine that really is gone: it goes when it has been seen silent for long enough', async () => {
    await using plane = await Plane.start(noGrace)
    await plane.machinesIn('a', ...fleet)
    plane.kill('web-1')
    await plane.until(() => plane.count('MachineBecameUnavailable', 'web-1') === 1)
    const since = plane.world.steadyMs()
    await plane.pass(4 * minuteMs)
    await plane.end()
    await plane.pass(hourMs)
    await plane.begin()
    await plane.until(() => plane.count('MachineDeregistered', 'web-1') === 1)
    const [removal] = plane.events('RemovalRequested', 'web-1')
    expect(removal!.data.observedMs).toBeGreaterThanOrEqual(10 * minuteMs)
    expect(plane.world.steadyMs() - since).toBeGreaterThanOrEqual(70 * minuteMs - 10_000)
  })
})

// 2a.2
describe('a machine without an agent that cannot be reached', () => {
  it.each([
    ['tcp', 'EHOSTUNREACH'],
    ['tcp', 'ECONNREFUSED'],
    ['ssh', 'ETIMEDOUT'],
    ['ssh', 'EHOSTUNREACH'],
    ['ssh', 'ENOTFOUND'],
    ['http', 'ECONNRESET'],
  ] as const)('over %s (%s) is unavailable and not unhealthy, so that it is cleared away', async (kind, code) => {
    await using plane = await Plane.start(noGrace)
    await bare(plane, kind, ...fleet)
    await plane.until(() => plane.named('MachineBecameHealthy').length === fleet.length)
    plane.landscape.show({ seen: 'fault', code }, 'web-1')
    await plane.until(() => plane.count('MachineDeregistered', 'web-1') === 1)
    expect([plane.named('MachineBecameUnavailable'), plane.named('MachineBecameUnhealthy')]).toEqual([['web-1'], []])
    expect(plane.named('MachineDeregistered')).toEqual(['web-1'])
  })

  it.each([
    ['lets nobody in', { seen: 'error', level: 'client-authentication', message: 'no' }],
    ['shows another host key', { seen: 'host-key', shown: 'SHA256:other' }],
    ['fails its command', { seen: 'exit', code: 2, printed: 'disk full' }],
  ] as const)('is another matter than one that %s: that one is unhealthy, and stays', async (_, seen) => {
    await using plane = await Plane.start(noGrace)
    await bare(plane, 'ssh', ...fleet)
    plane.landscape.show(seen, 'web-1')
    await plane.pass(2 * hourMs)
    expect([plane.named('MachineBecameUnhealthy'), plane.named('MachineBecameUnavailable')]).toEqual([['web-1'], []])
    expect(plane.count('RemovalRequested')).toBe(0)
  })
})

// 2a.3
it('an environment whose stored policy is bare has a whole one: its dead are removed, and nobody complains', async () => {
  await using plane = new Plane()
  const store = openMemoryStore({ clock: plane.world, disk: plane.disk })
  const data = { environmentId, name: 'Production', policy: {}, policyVersion: 1 }
  const cause = { actor: 'user:a', commandId: 'c', correlationId: 'c', causationId: null }
  const stream = environmentStream(environmentId)
  await store.append(stream, 0, [{ type: 'EnvironmentCreated', data }], cause)
  await plane.begin()
  await plane.invite()
  await plane.machinesIn('a', ...fleet)
  plane.kill('web-1')
  await plane.until(() => plane.count('MachineDeregistered', 'web-1') === 1)
  const [removal] = plane.events('RemovalRequested', 'web-1')
  expect(removal!.data).toMatchObject({ thresholdMs: 10 * minuteMs, policyVersion: 1 })
  expect([plane.named('MachineDeregistered'), [...plane.server.log.errors.keys()], plane.troubles]).toEqual([
    ...[['web-1'], [], []],
  ])
})

// 2a.4
describe('being cut off ourselves', () => {
  it('from everybody removes nobody, neither meanwhile nor on return', async () => {
    await using plane = await Plane.start(noGrace)
    await plane.machinesIn('a', ...fleet)
    plane.cut(...fleet)
    await plane.pass(3 * hourMs)
    expect(plane.named('MachineBecameUnavailable')).toEqual(fleet.toSorted())
    plane.mend(...fleet)
    await plane.pass(hourMs)
    expect([plane.count('RemovalRequested'), plane.count('MachineDeregistered')]).toEqual([0, 0])
    for (const name of fleet) expect(plane.count('MachineBecameHealthy', name)).toBe(2)
  })

  it('from the provider is no evidence: nobody is unwell or removed for it, and who is silent waits', async () => {
    const list = () => Promise.reject(new Error('the cloud is away'))
    const pace = { everyMs: 30_000, timeoutMs: 10_000, silentAfter: 3, absentMeans: 'terminated' } as const
    const cloud: ProviderSource = { provider: { name: 'cloud', kind: 'test', list }, pace }
    const policy = { dynamicRegistration: { startUpGraceMs: 0, provider: 'cloud' } }
    await using plane = await Plane.start(policy, { providers: [cloud] })
    await plane.machinesIn('a', ...fleet)
    plane.kill('web-1')
    await plane.pass(3 * hourMs)
    expect(plane.named('MachineBecameUnavailable')).toEqual(['web-1'])
    expect(plane.count('ProviderFellSilent')).toBeGreaterThan(0)
    expect(plane.events('RemovalDeferred', 'web-1').map(({ data }) => data.clause)).toContain('provider-silent')
    expect(plane.count('MachineDeregistered')).toBe(0)
  })
})

// 2a.6
describe('a crash of ours', () => {
  it.each(['MachineBecameUnavailable', 'RemovalRequested'] as const)(
    'right behind %s loses nothing of what follows from it, and nothing follows twice',
    async (type) => {
      await using plane = await Plane.start(noGrace)
      await plane.machinesIn('a', ...fleet)
      plane.kill('web-1')
      await plane.crashBehind(type, 'web-1')
      const decided = plane.count('MachineDeregistered')
      await plane.pass(minuteMs)
      await plane.begin()
      await plane.until(() => plane.count('MachineDeregistered', 'web-1') === 1)
      await plane.pass(hourMs)
      expect([decided, plane.count('MachineDeregistered')]).toEqual([0, 1])
      const abandoned = plane.count('RemovalAbandoned', 'web-1')
      expect(plane.count('RemovalRequested', 'web-1')).toBe(1 + abandoned)
    },
  )
})

// 2a.7
describe('a short absence', () => {
  it('of one server of ours, again and again, replaces nobody and starts nothing', async () => {
    await using plane = await Plane.start(noGrace)
    await plane.machinesIn('a', ...fleet)
    for (let restart = 0; restart < 3; restart++) {
      plane.crash()
      await plane.pass(20_000)
      await plane.begin()
      await plane.pass(minuteMs)
    }
    expect([plane.count('MachineBecameUnavailable'), plane.count('RemovalRequested')]).toEqual([0, 0])
    expect(plane.count('MachineRegistered')).toBe(fleet.length)
  })

  it('of a machine leaves it its identity, and nothing was done about it', async () => {
    await using plane = await Plane.start(noGrace)
    await plane.machinesIn('a', ...fleet)
    plane.cut('web-1')
    await plane.pass(3 * minuteMs)
    plane.mend('web-1')
    await plane.until(() => plane.count('MachineBecameHealthy', 'web-1') === 2)
    expect(plane.count('MachineDeregistered')).toBe(0)
    expect(plane.count('MachineRegistered', 'web-1')).toBe(1)
  })

  it('that grew long enough for a removal ends with the same id, under its own name', async () => {
    await using plane = await Plane.start(noGrace)
    await plane.machinesIn('a', ...fleet)
    plane.cut('web-1')
    await plane.until(() => plane.count('MachineDeregistered', 'web-1') === 1)
    plane.mend('web-1')
    await plane.until(() => plane.count('MachineRegistered', 'web-1') === 2)
    const returned = plane.events('MachineRegistered', 'web-1')[1]!.data
    expect(returned).toMatchObject({ name: 'web-1', environmentId, returnedFrom: { kind: 'policy' } })
  })
})

// 2a.8
describe('the removal of a machine', () => {
  it('does not need its agent: it dies while we are down, and is found gone all the same', async () => {
    await using plane = await Plane.start(noGrace)
    await plane.machinesIn('a', ...fleet)
    await plane.end()
    plane.kill('web-1')
    await plane.pass(2 * hourMs)
    await plane.begin()
    await plane.until(() => plane.count('MachineDeregistered', 'web-1') === 1)
    expect(plane.named('MachineDeregistered')).toEqual(['web-1'])
  })

  it('is made up for when it fell due while we were down', async () => {
    await using plane = await Plane.start(noGrace)
    await plane.machinesIn('a', ...fleet)
    plane.kill('web-1')
    await plane.until(() => plane.count('MachineBecameUnavailable', 'web-1') === 1)
    await plane.pass(8 * minuteMs)
    plane.crash()
    await plane.pass(2 * hourMs)
    await plane.begin()
    await plane.until(() => plane.count('MachineDeregistered', 'web-1') === 1, 20 * minuteMs)
  })
})
