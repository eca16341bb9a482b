import { describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { Roster } from '#services/policy/provider/roster.ts'

class Story {
  readonly roster = new Roster()
  readonly named: (string | null)[] = []
  #told = 0

  tell(type: string, data: object): this {
    const id = `event-${(this.#told += 1)}`
    this.named.push(this.roster.apply({ type, data, meta: { id, correlationId: `of ${id}` } } as unknown as Recorded))
    return this
  }
  policy = (provider: string | null, environmentId = 'production', type = 'EnvironmentPolicyChanged') =>
    this.tell(type, { environmentId, policy: EnvironmentPolicy.parse({ dynamicRegistration: { provider } }) })
  machine = (machineId: string, attributes: object = {}, environmentId = 'production') =>
    this.tell('MachineRegistered', { machineId, name: machineId, environmentId, attributes })
  listening = (provider: string) => this.roster.listeningTo(provider)
  registered = (environmentId = 'production') =>
    [...this.roster.registered(environmentId).values()].map(({ machineId, name, instanceId }) => [
      machineId,
      name,
      instanceId,
    ])
}

describe('who listens to a provider', () => {
  it('is said by policies, and by the first that names it why', () => {
    const story = new Story()
      .policy('cloud', 'production', 'EnvironmentCreated')
      .policy('cloud')
      .policy(null, 'staging')
    expect(story.named).toEqual(['cloud', null, null])
    expect([...story.roster.listeners()]).toEqual([
      ['production', { provider: 'cloud', by: { causationId: 'event-1', correlationId: 'of event-1' } }],
    ])
  })
  it('is nobody where a policy was stored before there were providers', () => {
    const story = new Story()
    story.tell('EnvironmentCreated', { environmentId: 'bare', policy: {} })
    story.tell('EnvironmentCreated', { environmentId: 'old', policy: { dynamicRegistration: { enabled: true } } })
    expect([story.named, [...story.roster.listeners()]]).toEqual([[null, null], []])
  })
  it('follows the policies when they change', () => {
    const story = new Story().policy('cloud').policy('cloud', 'staging').policy('rack').policy(null, 'staging')
    expect(story.named).toEqual(['cloud', 'cloud', 'rack', null])
    expect([story.listening('cloud'), story.listening('rack')]).toEqual([[], ['production']])
    expect(story.roster.listener('production')?.by.causationId).toBe('event-3')
  })
})

describe('the machines that can be spoken of', () => {
  const who = { name: 'web', environmentId: 'production' }

  it('are those that are registered, with what they say their instance is', () => {
    const story = new Story().machine('m-1', { instanceId: 'i-1' }).machine('m-2').machine('m-3', {}, 'staging')
    expect(story.registered()).toEqual([
      ['m-1', 'm-1', 'i-1'],
      ['m-2', 'm-2', null],
    ])
    story.tell('MachineReregistered', { machineId: 'm-1', attributes: { instanceId: 'i-9' } })
    expect(story.registered()).toContainEqual(['m-1', 'm-1', 'i-9'])
  })
  it('go and come back as the same instance', () => {
    const story = new Story().machine('m-1', { instanceId: 'i-1' })
    story.tell('MachineDeregistered', { machineId: 'm-1', ...who })
    expect(story.registered()).toEqual([])
    story.tell('MachineRestored', { machineId: 'm-1', ...who })
    expect(story.registered()).toEqual([['m-1', 'web', 'i-1']])
  })
  it('do not come back by telling of themselves alone', () => {
    const story = new Story().machine('m-1')
    story.tell('MachineDeregistered', { machineId: 'm-1', ...who })
    story.tell('MachineReregistered', { machineId: 'm-1', attributes: {} })
    expect(story.registered()).toEqual([])
  })
  it('move with their environment and their name', () => {
    const story = new Story()
      .machine('m-1')
      .tell('MachineChanged', { machineId: 'm-1', name: 'db', environmentId: 'staging' })
    expect([story.registered(), story.registered('staging')]).toEqual([[], [['m-1', 'db', null]]])
  })
  it('are spoken of anew in each life, in each environment and by each provider', () => {
    const story = new Story().policy('cloud').policy('cloud', 'staging').machine('m-1').machine('m-2')
    const spokenOf = (environmentId = 'production') =>
      [...story.roster.registered(environmentId)].flatMap(([machineId, one]) => (one.spokenOf ? [machineId] : []))
    const answered = (environmentId = 'production', provider = 'cloud') =>
      story.tell('ProviderAnswered', { environmentId, provider, machines: [{ machineId: 'm-1', state: 'unknown' }] })
    const now: (readonly string[])[] = []
    const look = (...environmentIds: readonly string[]) => void now.push(spokenOf(...environmentIds))
    look()
    answered('production', 'rack')
    answered('staging')
    look()
    answered()
    look()
    story.tell('MachineChanged', { machineId: 'm-1', name: 'db', environmentId: 'production' })
    look()
    story
      .tell('MachineDeregistered', { machineId: 'm-1', ...who })
      .tell('MachineRestored', { machineId: 'm-1', ...who })
    look()
    answered()
    story.policy(null).policy('cloud')
    look()
    answered()
    story.tell('MachineChanged', { machineId: 'm-1', name: 'db', environmentId: 'staging' })
    look('staging')
    expect(now).toEqual([[], [], ['m-1'], ['m-1'], [], [], []])
  })
})
