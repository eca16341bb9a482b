import { describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { Known } from '#services/policy/known.ts'
import { isNews } from '#services/policy/news.ts'
import type { Settings } from '../deployment/stage.ts'

const environmentId = 'production'
const cloud: Settings = { dynamicRegistration: { provider: 'cloud' } }

/** What policy knows of machines, as events tell it. */
class Told {
  readonly known = new Known()
  #position = 0

  tell(type: string, data: object): readonly string[] {
    const event = { type, data, meta: { position: (this.#position += 1) } } as unknown as Recorded
    return isNews(event) ? this.known.apply(event) : []
  }
  policy(settings: Settings, type = 'EnvironmentPolicyChanged') {
    return this.tell(type, { environmentId, policy: EnvironmentPolicy.parse(settings), policyVersion: 1 })
  }
  register = (machineId: string, attributes: object = {}, environment = environmentId) =>
    this.tell('MachineRegistered', {
      ...{ machineId, name: machineId, environmentId: environment, roles: ['web'], attributes },
    })
  health = (type: string, machineId: string, at: number) => this.tell(type, { machineId, at, evidence: {} })
  late = (machineId: string, at: number, check = 'heartbeat') =>
    this.tell('HealthCheckFailed', { machineId, at, check, evidence: {} })
  answered = (machines: Record<string, string>, at = 1, provider = 'cloud') =>
    this.tell('ProviderAnswered', {
      ...{ environmentId, provider, at },
      machines: Object.entries(machines).map(([machineId, state]) => ({ machineId, state })),
    })
  fellSilent = (provider = 'cloud') => this.tell('ProviderFellSilent', { environmentId, provider, detail: 'x', at: 2 })

  member(machineId = 'm') {
    return this.known.world.member(machineId)!
  }
  get suspects() {
    return [...this.known.world.suspects(environmentId)].map(({ machineId }) => machineId)
  }
}
const told = (settings: Settings = cloud) => {
  const one = new Told()
  one.policy(settings, 'EnvironmentCreated')
  one.register('m', { zone: 'a' })
  return one
}

describe('the start of a machine', () => {
  it('is the first that health says of it since it came, and is not moved by what follows', () => {
    const one = told()
    expect(one.member().startedAt).toBeNull()
    one.health('MachineBecameHealthy', 'm', 100)
    one.health('MachineBecameUnavailable', 'm', 200)
    one.health('HealthForgotten', 'm', 300)
    one.health('MachineBecameHealthy', 'm', 400)
    expect(one.member().startedAt).toBe(100)
  })
  it('is new when it is registered again, or restored', () => {
    const one = told()
    one.health('MachineBecameHealthy', 'm', 100)
    one.tell('MachineDeregistered', { machineId: 'm' })
    one.tell('MachineRestored', { machineId: 'm', name: 'm', environmentId, roles: [] })
    expect(one.member().startedAt).toBeNull()
    one.late('m', 500)
    expect(one.member().startedAt).toBe(500)
  })
})

describe('a late heartbeat', () => {
  it('is remembered until the machine is heard, and is part of the spell in which it becomes unavailable', () => {
    const one = told()
    one.health('MachineBecameHealthy', 'm', 100)
    one.late('m', 130)
    one.health('MachineBecameUnavailable', 'm', 160)
    expect(one.member()).toMatchObject({ lateSince: 130, unavailableSince: 160, status: 'unavailable' })
    one.health('MachineBecameHealthy', 'm', 170)
    expect(one.member()).toMatchObject({ lateSince: null, unavailableSince: null })
  })
  it('is not what another check says', () => {
    const one = told()
    one.late('m', 130, 'disk')
    expect(one.member().lateSince).toBeNull()
  })
  it('is forgotten when a removal was given up since the machine answers', () => {
    const one = told()
    one.late('m', 130)
    one.tell('RemovalAbandoned', { environmentId, machineId: 'm', detail: 'it answers', at: 140 })
    expect(one.member().lateSince).toBeNull()
  })
  it('makes policy look only where the provider says that the machine is terminated', () => {
    const one = told()
    expect(one.late('m', 130)).toEqual([])
    one.answered({ m: 'terminated' })
    expect(one.late('m', 131)).toEqual([environmentId])
  })
})

describe('what a provider says', () => {
  it('is kept with when it was said, and makes policy look', () => {
    const one = told()
    expect(one.answered({ m: 'running' }, 7)).toEqual([environmentId])
    expect(one.member()).toMatchObject({ providerState: 'running', providerSaidAt: 7 })
  })
  it('counts for nothing while the provider is silent, and again when it answers of others', () => {
    const one = told()
    one.register('n')
    one.answered({ m: 'running', n: 'terminated' })
    one.fellSilent()
    one.fellSilent()
    expect([one.member().providerState, one.member('n').providerState]).toEqual(['silent', 'terminated'])
    one.answered({})
    expect(one.member().providerState).toBe('running')
  })
  it('is asked anew of a machine that comes again, also while the provider is silent', () => {
    const one = told()
    one.answered({ m: 'running' })
    one.fellSilent()
    one.tell('MachineDeregistered', { machineId: 'm' })
    one.register('m')
    one.answered({})
    expect(one.member().providerState).toBeNull()
  })
  it('counts only from the provider that the policy names now', () => {
    const one = told()
    one.answered({ m: 'terminated' }, 1, 'elsewhere')
    expect(one.member().providerState).toBeNull()
    one.answered({ m: 'running' })
    one.policy({ dynamicRegistration: { provider: 'elsewhere' } })
    expect(one.member().providerState).toBeNull()
    one.answered({ m: 'terminated' })
    expect(one.member().providerState).toBeNull()
  })
  it('counts for nothing in another environment', () => {
    const one = told()
    one.answered({ m: 'running' })
    one.tell('MachineChanged', { machineId: 'm', name: 'm', environmentId: 'far', roles: [] })
    expect(one.member().providerState).toBeNull()
  })
  it('puts a machine that is terminated among those that are looked at, though it answers', () => {
    const one = told()
    one.health('MachineBecameHealthy', 'm', 100)
    expect([one.suspects, one.known.isCalm(environmentId)]).toEqual([[], true])
    one.answered({ m: 'terminated' })
    expect([one.suspects, one.known.isCalm(environmentId)]).toEqual([['m'], false])
    one.tell('MachineDisabled', { machineId: 'm' })
    expect(one.suspects).toEqual([])
  })
})

describe('failure domains', () => {
  const sizes = (one: Told, ...values: readonly string[]) =>
    values.map((value) => one.known.world.registeredIn(environmentId, value))

  it('are counted by the attribute that the policy names, as machines come, change and go', () => {
    const one = told({})
    one.register('n', { zone: 'a', rack: '7' })
    one.register('o', { zone: 'b' })
    one.register('p')
    expect(sizes(one, 'a', 'b', 'c')).toEqual([2, 1, 0])
    one.tell('MachineReregistered', { machineId: 'n', attributes: { zone: 'b', rack: '7' } })
    expect(sizes(one, 'a', 'b')).toEqual([1, 2])
    one.tell('MachineDeregistered', { machineId: 'm' })
    one.tell('MachineChanged', { machineId: 'o', name: 'o', environmentId: 'far', roles: [] })
    expect(sizes(one, 'a', 'b')).toEqual([0, 1])
    one.health('MachineBecameUnavailable', 'n', 5)
    one.health('MachineBecameHealthy', 'n', 6)
    expect(sizes(one, 'b')).toEqual([1])
  })
  it('are counted anew when the policy names another attribute, or none', () => {
    const one = told({})
    one.register('n', { rack: '7' })
    one.policy({ guard: { failureDomain: 'rack' } })
    expect(sizes(one, 'a', '7')).toEqual([0, 1])
    one.policy({ guard: { failureDomain: null } })
    expect(sizes(one, 'a', '7')).toEqual([0, 0])
  })
})

it('a policy that was stored before a setting was invented has its default', () => {
  const one = new Told()
  const { dynamicRegistration, ...rest } = EnvironmentPolicy.parse({})
  const old = { ...rest, dynamicRegistration: { enabled: dynamicRegistration.enabled, removeAfterMs: 1 } }
  one.tell('EnvironmentCreated', { environmentId, policy: old, policyVersion: 1 })
  expect(one.known.world.policyOf(environmentId)!.policy.dynamicRegistration).toEqual({
    ...{ ...dynamicRegistration, removeAfterMs: 1 },
  })
})
