import { describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { isNews } from '#services/policy/news.ts'
import { Known } from '#services/policy/known.ts'
import { processOf } from '../deployment/run/play.ts'

const environmentId = 'production'
const uuid = (n: number) => `00000000-0000-4000-8000-00000000000${n}`

/** What policy knows after some facts, told by those who ask it. */
class Story {
  readonly known = new Known()
  readonly woken: (readonly string[])[] = []
  #position = 0

  tell(type: string, data: object): this {
    const event = {
      type,
      data,
      meta: { position: (this.#position += 1), id: `${this.#position}` },
    } as unknown as Recorded
    this.woken.push(isNews(event) ? this.known.apply(event) : [])
    return this
  }
  begin = () =>
    this.tell('EnvironmentCreated', { environmentId, policy: EnvironmentPolicy.parse({}), policyVersion: 1 })
      .tell('ProjectCreated', { projectId: 'shop', name: 'shop' })
      .release('1.0')
      .release('2.0')
  release = (version: string, ...steps: readonly object[]) =>
    this.tell('ReleaseCreated', {
      ...{ projectId: 'shop', version, notes: '', processVersion: 1, variables: [], targetRoles: ['web'] },
      process: processOf(...(steps.length > 0 ? steps : [{ id: 'a' }])),
    })
  machine = (machineId: string, roles = ['web']) =>
    this.tell('MachineRegistered', {
      ...{ machineId, name: machineId, environmentId, roles, attributes: {} },
    }).tell('MachineBecameHealthy', {
      machineId,
      at: 0,
    })
  created = (n: number, version: string, kind = 'release', machineIds: readonly string[] | null = null) =>
    this.tell('DeploymentCreated', {
      ...{ deploymentId: uuid(n), projectId: 'shop', version, environmentId, kind, machineIds },
    })
  ended = (n: number, outcomes: Record<string, string> = {}, type = 'DeploymentSucceeded') =>
    this.tell(type, {
      deploymentId: uuid(n),
      outcomes: Object.entries(outcomes).map(([machineId, outcome]) => ({ machineId, outcome })),
    })
  pin = (version: string | null) =>
    this.tell('ReleaseOverrideSet', { projectId: 'shop', environmentId, version, reason: 'x' })

  get desired() {
    return this.known.world.desired(environmentId).map(({ version }) => version)
  }
  get behind() {
    return [...this.known.world.behind(environmentId)].map(({ machineId }) => machineId)
  }
}
const story = () => new Story().begin()

describe('the release that machines should have', () => {
  it.each<[string, (of: Story) => Story, readonly string[]]>([
    ['none, as long as none has succeeded', (of) => of, []],
    ['not one that is still being deployed', (of) => of.created(1, '1.0'), []],
    ['the one that succeeded', (of) => of.created(1, '1.0').ended(1), ['1.0']],
    ['the newest that succeeded', (of) => of.created(1, '1.0').ended(1).created(2, '2.0').ended(2), ['2.0']],
    [
      'not a newer one that failed',
      (of) => of.created(1, '1.0').ended(1).created(2, '2.0').ended(2, {}, 'DeploymentFailed'),
      ['1.0'],
    ],
    [
      'not a newer one that was cancelled',
      (of) => of.created(1, '1.0').ended(1).created(2, '2.0').ended(2, {}, 'DeploymentCancelled'),
      ['1.0'],
    ],
    ['an older one, deployed again', (of) => of.created(2, '2.0').ended(2).created(1, '1.0').ended(1), ['1.0']],
    ['the one that is pinned', (of) => of.created(2, '2.0').ended(2).pin('1.0'), ['1.0']],
    ['the one that is pinned, whatever succeeds', (of) => of.pin('1.0').created(2, '2.0').ended(2), ['1.0']],
    [
      'the last that succeeded when the pin is out',
      (of) => of.created(2, '2.0').ended(2).pin('1.0').pin(null),
      ['2.0'],
    ],
    ['none, when there is no such release', (of) => of.pin('9.9'), []],
    [
      'not one that only some machines got',
      (of) => of.machine('m').machine('n').created(1, '1.0', 'release', ['m']).ended(1, { m: 'succeeded' }),
      [],
    ],
    [
      'one that some machines got, when they are all',
      (of) => of.machine('m').machine('d', ['db']).created(1, '1.0', 'release', ['m']).ended(1, { m: 'succeeded' }),
      ['1.0'],
    ],
    [
      'never one by an automatic deployment',
      (of) => of.machine('m').created(1, '1.0', 'automatic', ['m']).ended(1, { m: 'succeeded' }),
      [],
    ],
    [
      'none that does nothing on machines',
      (of) => of.release('3.0', { id: 'w', on: 'worker' }).created(3, '3.0').ended(3),
      [],
    ],
  ])('is %s', (_, tell, desired) => expect(tell(story()).desired).toEqual(desired))

  it('is busy while a release is under way, and not for automatic deployments', () => {
    const one = story().created(1, '1.0').ended(1)
    const isBusy = () => one.known.world.desired(environmentId)[0]!.busy
    one.created(2, '1.0', 'automatic', ['m'])
    expect(isBusy()).toBe(false)
    one.created(3, '2.0').created(4, '2.0')
    expect(isBusy()).toBe(true)
    one.ended(3, {}, 'DeploymentFailed')
    expect(isBusy()).toBe(true)
    one.ended(4, {}, 'DeploymentCancelled')
    expect(isBusy()).toBe(false)
  })
})

describe('what is on a machine', () => {
  it('is as old as the decision that brought it, so that a newer release is not kept from it', () => {
    const one = story().machine('m').created(1, '1.0').ended(1)
    // Decided before anybody knew of the second release, made after it.
    one.created(2, '2.0').created(3, '1.0', 'automatic', ['m']).ended(2).ended(3, { m: 'succeeded' })
    const [member] = one.known.world.behind(environmentId)
    const [desired] = one.known.world.desired(environmentId)
    expect(member?.installed.get('shop')?.version).toBe('1.0')
    expect(member!.installed.get('shop')!.position).toBeLessThan(desired!.position)
  })
  it('of a version that nobody wants any more is older than anything', () => {
    const one = story().machine('m').created(2, '2.0').ended(2, { m: 'succeeded' })
    one.created(3, '1.0', 'automatic', ['m']).ended(3, { m: 'succeeded' })
    expect([...one.known.world.behind(environmentId)][0]?.installed.get('shop')).toEqual({
      version: '1.0',
      position: 0,
    })
  })
})

describe('the machines that are behind', () => {
  it('are none of those that have no agent, until they have one', () => {
    const one = story().pin('1.0').machine('b')
    const who = { machineId: 'a', name: 'a', environmentId, roles: ['web'], attributes: {} }
    one.tell('MachineBecameHealthy', { machineId: 'a', at: 0 }).tell('MachineRegistered', { ...who, publicKey: null })
    expect(one.behind).toEqual(['b'])
    one.tell('MachineDeregistered', { machineId: 'a' }).tell('MachineRestored', who)
    one.tell('MachineBecameHealthy', { machineId: 'a', at: 1 })
    expect(one.behind).toEqual(['b'])
    expect(one.tell('MachineRegistered', { ...who, publicKey: 'k' }).behind).toEqual(['b', 'a'])
  })
  const running = () => story().machine('a').machine('b').created(1, '1.0').ended(1, { a: 'succeeded' })

  it('are those without the release, as far as they could have it', () => {
    const one = running().machine('c').machine('d', ['db'])
    expect(one.behind).toEqual(['b', 'c'])
    expect(one.tell('MachineDisabled', { machineId: 'c' }).behind).toEqual(['b'])
    expect(one.tell('MachineBecameUnavailable', { machineId: 'b', at: 1 }).behind).toEqual([])
    expect(one.tell('MachineEnabled', { machineId: 'c' }).behind).toEqual([])
    expect(one.tell('MachineBecameHealthy', { machineId: 'c', at: 2 }).behind).toEqual(['c'])
    expect(one.tell('MachineBecameHealthy', { machineId: 'b', at: 2 }).behind).toEqual(['c', 'b'])
    expect(one.tell('MachineDeregistered', { machineId: 'c' }).behind).toEqual(['b'])
  })
  it('are others when another release is wanted', () => {
    const one = running().created(2, '2.0').ended(2, { b: 'succeeded' })
    expect(one.behind).toEqual(['a'])
    expect(one.pin('1.0').behind).toEqual(['b'])
  })
  it('are others when a machine moves or changes its roles', () => {
    const one = running()
    const change = (part: object) =>
      one.tell('MachineChanged', { machineId: 'b', name: 'b', environmentId, roles: ['web'], ...part })
    expect(change({ roles: ['db'] }).behind).toEqual([])
    expect(change({}).behind).toEqual(['b'])
    expect(change({ environmentId: 'staging' }).behind).toEqual([])
    expect(one.woken.at(-1)).toEqual([environmentId, 'staging'])
  })
  it('are not those that are on their way to it', () => {
    const one = running()
    const asked = { environmentId, deploymentId: uuid(5), projectId: 'shop', machineIds: ['b'] }
    expect(one.tell('AutomaticDeploymentRequested', asked).behind).toEqual([])
    one.tell('AutomaticDeploymentSettled', { environmentId, deploymentId: uuid(5) })
    expect(one.behind).toEqual(['b'])
    expect(one.woken.at(-1)).toEqual([environmentId])
  })
  it('need it since they were first asked about, until something happens to them', () => {
    const one = running()
    const since = (nowMs: number) => one.known.world.neededSince('b', 'shop', '1.0', nowMs)
    expect([since(100), since(200)]).toEqual([100, 100])
    one.tell('MachineBecameHealthy', { machineId: 'b', at: 1 })
    expect(since(300)).toBe(300)
    expect(one.known.world.neededSince('b', 'shop', '2.0', 400)).toBe(400)
  })
})

describe('the deployments that policy asked for', () => {
  const requested = (of: Story) =>
    of.tell('AutomaticDeploymentRequested', {
      environmentId,
      deploymentId: uuid(5),
      projectId: 'shop',
      machineIds: ['m'],
    })
  const missing = (of: Story, nowMs: number) => [...of.known.world.missing(environmentId, nowMs)]

  it('are missing until somebody makes them', () => {
    const one = requested(story())
    expect([missing(one, 100), missing(one, 400)]).toMatchObject([[{ forMs: 0 }], [{ forMs: 300 }]])
    expect(one.known.isCalm(environmentId)).toBe(false)
    expect(missing(one.created(5, '1.0', 'automatic', ['m']), 500)).toEqual([])
    expect(one.known.isCalm(environmentId)).toBe(true)
  })
  it('have ended until they are settled', () => {
    const one = requested(story()).created(5, '1.0', 'automatic', ['m']).ended(5, { m: 'failed' })
    expect([...one.known.world.ended(environmentId)]).toEqual([{ deploymentId: uuid(5), succeeded: [], failed: ['m'] }])
    one.tell('AutomaticDeploymentSettled', { environmentId, deploymentId: uuid(5) })
    expect([...one.known.world.ended(environmentId)]).toEqual([])
  })
  it('are forgotten when they are given up, whatever comes of them later', () => {
    const one = requested(story()).tell('AutomaticDeploymentAbandoned', { environmentId, deploymentId: uuid(5) })
    one.created(5, '1.0', 'automatic', ['m']).ended(5, { m: 'failed' })
    expect([missing(one, 1), [...one.known.world.ended(environmentId)]]).toEqual([[], []])
  })
})

describe('machines that do not answer', () => {
  it('are counted among those that are registered', () => {
    const one = story().machine('a').machine('b').tell('MachineBecameUnavailable', { machineId: 'a', at: 9 })
    const silent = () => [...one.known.world.unavailable(environmentId)].map(({ machineId }) => machineId)
    expect([one.known.world.registered(environmentId), silent()]).toEqual([2, ['a']])
    expect(one.known.isCalm(environmentId)).toBe(false)
    one.tell('TargetExcluded', { machineId: 'a', deploymentId: uuid(1), cause: 'not-contactable' })
    expect([...one.known.world.unavailable(environmentId)][0]?.notContactableIn).toBe(uuid(1))
    one.tell('MachineDisabled', { machineId: 'a' }).tell('MachineEnabled', { machineId: 'a' })
    expect(silent()).toEqual([])
    one.tell('MachineBecameUnavailable', { machineId: 'a', at: 19 })
    expect(silent()).toEqual(['a'])
    one.tell('MachineDeregistered', { machineId: 'a' })
    expect([one.known.world.registered(environmentId), silent()]).toEqual([1, []])
  })
})

describe('an environment', () => {
  it.each([
    ['ReleaseCreated', (of: Story) => of.release('3.0')],
    ['TaskDispatched', (of: Story) => of.tell('TaskDispatched', { machineId: 'm' })],
    ['DeploymentStarted', (of: Story) => of.tell('DeploymentStarted', { deploymentId: uuid(1) })],
    [
      'TargetExcluded for any other reason',
      (of: Story) => of.tell('TargetExcluded', { machineId: 'm', cause: 'failed' }),
    ],
    ['RemovalsResumed by itself', (of: Story) => of.tell('RemovalsResumed', { environmentId, by: 'recovery' })],
    [
      'MachineRegistered elsewhere',
      (of: Story) => of.tell('MachineRegistered', { machineId: 'x', environmentId: 'far', roles: [], attributes: {} }),
    ],
  ])('is not looked at because of %s', (_, tell) => expect(tell(story()).woken.at(-1)).not.toContain(environmentId))
  it.each([
    ['a machine that comes', (of: Story) => of.machine('m')],
    ['a release that ends', (of: Story) => of.created(1, '1.0').ended(1)],
    ['a pin', (of: Story) => of.pin('1.0')],
    ['a person who lets machines go', (of: Story) => of.tell('RemovalsResumed', { environmentId, by: 'person' })],
    ['a circuit that a person closes', (of: Story) => of.tell('ReleaseCircuitClosed', { environmentId })],
  ])('is looked at because of %s', (_, tell) => expect(tell(story()).woken.at(-1)).toContain(environmentId))
})
