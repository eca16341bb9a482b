import { describe, expect, it } from 'vitest'
import type { ProviderSource } from '#services/policy/provider/provider.ts'
import { bare, deploy, remove } from './orders.ts'
import { environmentId, names, Plane } from './plane.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const fleet = names('web', 6)
const anonymous = { instanceId: null, name: null, environment: null }

// Who is who: field.md 2a.11 to 2a.14.

// 2a.11
describe('a machine that was deleted', () => {
  it('has its name taken by another one at once, and is offline for nobody: the next deployment is without it', async () => {
    await using plane = await Plane.start()
    await plane.machinesIn('a', ...fleet)
    plane.kill('web-1')
    await remove(plane, 'web-1')
    plane.machine('web-1', { zone: 'a', key: 'second' }).boot()
    await plane.until(() => plane.machines.get('second')!.machineId !== '' && plane.count('MachineRegistered') === 7)
    const [second] = plane.events('MachineRegistered', 'second')
    expect(second!.data).toMatchObject({ name: 'web-1', returnedFrom: null })
    expect(second!.data.machineId).not.toBe(plane.idOf('web-1'))
    await plane.until(() => plane.count('MachineBecameHealthy', 'second') === 1)
    await deploy(plane, '1.0.0')
    await plane.until(() => plane.count('DeploymentSucceeded') === 1, 10 * minuteMs)
    const targets = plane.events('DeploymentSucceeded')[0]!.data.outcomes
    expect(targets.map(({ name, outcome }) => [name, outcome])).toEqual(
      expect.arrayContaining(fleet.map((name) => [name, 'succeeded'])),
    )
    expect(targets.map(({ machineId }) => machineId)).not.toContain(plane.idOf('web-1'))
  })

  it('can be deleted and come back under its name any number of times', async () => {
    await using plane = await Plane.start()
    for (const key of ['one', 'two', 'three']) {
      plane.machine('web-1', { zone: 'a', key }).boot()
      await plane.until(() => plane.machines.get(key)!.machineId !== '' && plane.count('MachineBecameHealthy', key) > 0)
      expect(plane.events('MachineRegistered', key)[0]!.data.name).toBe('web-1')
      plane.kill(key)
      await remove(plane, key)
    }
    expect(plane.count('MachineDeregistered')).toBe(3)
  })
})

// 2a.12
describe('what one source says of a machine', () => {
  it('is not wiped by another: the machine, the provider and a person each own what is theirs', async () => {
    let state: 'running' | 'stopped' = 'running'
    let ids: readonly string[] = []
    const list = () => {
      if (ids.length === 0) return Promise.reject(new Error('it does not know them yet'))
      return Promise.resolve({ machines: ids.map((id) => ({ ...anonymous, id, state })), complete: true })
    }
    const pace = { everyMs: 30_000, timeoutMs: 10_000, silentAfter: 3, absentMeans: 'unknown' } as const
    const cloud: ProviderSource = { provider: { name: 'cloud', kind: 'test', list }, pace }
    await using plane = await Plane.start({ dynamicRegistration: { provider: 'cloud' } }, { providers: [cloud] })
    await plane.machinesIn('a', ...fleet)
    const machineId = plane.idOf('web-1')
    const said = () => plane.events('ProviderAnswered').flatMap(({ data }) => data.machines)
    const states = () => said().flatMap((one) => (one.machineId === machineId ? [one.state] : []))
    ids = fleet.map((name) => plane.idOf(name))
    await plane.must('registry', 'ChangeMachine', { machineId, roles: ['db'] })
    await plane.must('registry', 'ReregisterMachine', { machineId, facts: null, attributes: { zone: 'b', rack: '7' } })
    await plane.until(() => states().length === 1)
    state = 'stopped'
    await plane.until(() => states().length === 2)
    await plane.must('registry', 'ChangeMachine', { machineId, name: 'database' })
    await plane.pass(minuteMs)
    expect(rowOf(plane, machineId)).toMatchObject({
      ...{ name: 'database', roles: ['db'], attributes: { zone: 'b', rack: '7' }, status: 'healthy', registered: true },
    })
    expect(states()).toEqual(['running', 'stopped'])
  })

  it('that it is gone is a tombstone: a machine in a running deployment is removed at once, and the deployment ends', async () => {
    await using plane = await Plane.start()
    await plane.machinesIn('a', ...fleet)
    await deploy(plane, '1.0.0', 5 * minuteMs)
    await plane.until(() => plane.count('TaskStarted', 'web-1') === 1)
    const before = plane.world.steadyMs()
    await remove(plane, 'web-1')
    expect(plane.world.steadyMs() - before).toBeLessThan(5_000)
    const ended = () => plane.count('DeploymentSucceeded') + plane.count('DeploymentFailed')
    await plane.until(() => ended() === 1, 30 * minuteMs)
    expect(rowOf(plane, plane.idOf('web-1'))).toMatchObject({ registered: false, name: 'web-1' })
    const machineId = plane.idOf('web-1')
    await plane.must('registry', 'RestoreMachine', { machineId, reason: 'a mistake' })
    expect(plane.count('MachineRestored', 'web-1')).toBe(1)
  })
})

// 2a.13
describe('a machine and its siblings', () => {
  it('are apart: who deregisters one, of the same name, image and join token, touches no other', async () => {
    await using plane = await Plane.start()
    await plane.machinesIn('a', ...fleet)
    await bare(plane, 'tcp', 'db-1', 'db-2')
    await remove(plane, 'web-1')
    await remove(plane, 'db-1')
    await plane.pass(hourMs)
    expect(plane.named('MachineDeregistered')).toEqual(['db-1', 'web-1'])
  })

  it('with one key are both shut out until a person has looked, since either may be the copy', async () => {
    await using plane = await Plane.start()
    await plane.machinesIn('a', ...fleet)
    const original = plane.machines.get('web-1')!
    plane.machine('web-1', { zone: 'a', key: 'copy', original }).boot()
    await plane.until(() => plane.count('MachineQuarantined', 'web-1') === 1)
    await plane.pass(2 * hourMs)
    expect(plane.named('MachineQuarantined')).toEqual(['copy', 'web-1'])
    await deploy(plane, '1.0.0')
    await plane.pass(10 * minuteMs)
    expect(plane.count('TaskStarted', 'web-1')).toBe(0)
    // In quarantine it is silent, and is not removed for that: it would come back with the next of the two.
    expect([plane.count('MachineDeregistered'), plane.count('MachineRegistered')]).toEqual([0, fleet.length])
  })
})

// 2a.14
it('a machine that registers again, with a new agent, changes nothing that a person has set', async () => {
  await using plane = await Plane.start()
  await plane.machinesIn('a', ...fleet)
  const machineId = plane.idOf('web-1')
  await plane.must('registry', 'ChangeMachine', { machineId, name: 'front', roles: ['db'] })
  await plane.must('registry', 'DisableMachine', { machineId, reason: 'maintenance' })
  for (let boot = 0; boot < 5; boot++) {
    plane.kill('web-1')
    await plane.pass(5_000)
    plane.machines.get('web-1')!.boot()
    await plane.pass(30_000)
  }
  expect(plane.count('MachineReregistered', 'web-1')).toBeGreaterThan(0)
  expect(rowOf(plane, machineId)).toMatchObject({
    ...{ name: 'front', roles: ['db'], enabled: false, environmentId, facts: { agentVersion: '2' } },
  })
})

/** What readers are told of the machine. */
function rowOf(plane: Plane, machineId: string): object {
  const { reader, machines } = plane.server.query!
  return JSON.parse(reader.one(machines, machineId)!.doc) as object
}
