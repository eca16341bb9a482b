import { describe, expect, it } from 'vitest'
import type { ProviderSource } from '#services/policy/provider/provider.ts'
import { play, succeeded } from '#test/services/deployment/run/play.ts'
import { machine, TestWorld } from '#test/services/deployment/run/world.ts'
import { carryOut } from './orders.ts'
import { names, Plane } from './plane.ts'

const minuteMs = 60_000
const fleet = names('web', 4)
const web = (...ids: readonly string[]) => new TestWorld(...ids.map((id) => machine(id)))
const ask = { id: 'ask', kind: 'approval', message: 'go?' }
const install = { id: 'install', roles: ['web'], catchUp: true }
const smoke = { id: 'smoke', roles: ['web'] }
const find = { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] } }

// Re-targeting and dynamic infrastructure: field.md 2e.38 to 2e.44.

// 2e.38
describe('a step that looks at machines', () => {
  it('looks only at those of its roles, and leaves out no machine of another role, however ill that is', () => {
    const world = web('m-1', 'm-2').put(machine('db-1', { roles: ['db'], status: 'unavailable' }))
    world.change('m-2', { status: 'unavailable' })
    const check = { id: 'check', kind: 'health-check', roles: ['web'], onUnavailable: 'exclude', timeLimitMs: 1_000 }
    const one = play(world, [check, ask, { id: 'migrate', roles: ['db'] }, smoke])
    one.advance(1_000)
    expect(one.of('TargetExcluded').map(({ data }) => data.machineId)).toEqual(['m-2'])
  })

  it('finds no machine for which the deployment has no work', () => {
    const one = play(web('m-1'), [ask, { ...find, from: { roles: ['web', 'mail'] }, mode: 'add' }, smoke])
    one.world.put(machine('mail-1', { roles: ['mail'] }))
    one.decide('approve')
    expect(one.of('TargetsReevaluated')[0]!.data).toMatchObject({ added: [], removed: [], kept: ['m-1'] })
  })
})

// 2e.39
describe('two re-evaluations after each other', () => {
  const twice = [ask, find, { ...ask, id: 'again' }, { ...find, id: 'second' }, smoke]

  it('end as the last one says: who was left out by the first and is well again is a target', () => {
    const one = play(web('m-1', 'm-2'), twice)
    one.world.change('m-2', { status: 'unavailable' })
    one.decide('approve')
    expect(one.of('TargetExcluded').map(({ data }) => data.machineId)).toEqual(['m-2'])
    one.world.change('m-2', { status: 'healthy' })
    one.decide('approve', { stepId: 'again' })
    expect(one.atWork).toEqual(['smoke@m-1', 'smoke@m-2'])
  })

  it('take in nobody whom a person excluded, and each says why', () => {
    const one = play(web('m-1', 'm-2'), twice)
    one.ask({ type: 'ExcludeTarget', machineId: 'm-2', reason: 'it is being repaired' })
    one.decide('approve')
    one.decide('approve', { stepId: 'again' })
    expect(one.of('TargetsReevaluated').map(({ data }) => data.leftOut?.[0]?.reason)).toEqual([
      'excluded by a person: it is being repaired',
      'excluded by a person: it is being repaired',
    ])
    expect(one.atWork).toEqual(['smoke@m-1'])
  })
})

// 2e.40
it('machines that register in the same moment are all taken in', { timeout: 60_000 }, async () => {
  await using plane = await Plane.start()
  await plane.machinesIn('a', ...fleet)
  const deploymentId = await carryOut(plane, [{ id: 'ask', kind: 'approval', message: 'go?' }, { id: 'install' }], {
    joiners: 'include',
  })
  await plane.until(() => plane.count('ApprovalRequested') === 1)
  const late = names('late', 20)
  await plane.machinesIn('a', ...late)
  await plane.must('deployment', 'DecideDeployment', { deploymentId, decision: 'approve', comment: '' })
  await plane.until(() => plane.count('DeploymentSucceeded') === 1, 30 * minuteMs)
  const { outcomes } = plane.events('DeploymentSucceeded')[0]!.data
  expect(
    outcomes
      .filter(({ outcome }) => outcome === 'succeeded')
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual([...fleet, ...late].toSorted())
})

// 2e.41
describe('a machine that becomes a target in the middle', () => {
  it('has what came before: it runs the steps that are marked before any later one', () => {
    const one = play(web('m-1'), [install, ask, { ...find, mode: 'add' }, smoke])
    one.end('install', 'm-1')
    one.world.put(machine('m-2'))
    one.decide('approve')
    expect(one.atWork).toEqual(['install@m-2'])
    one.end('install', 'm-2')
    expect(one.atWork).toEqual(['smoke@m-1', 'smoke@m-2'])
  })

  it('by new roles has what these need as well', () => {
    const migrate = { id: 'migrate', roles: ['db'], catchUp: true }
    const one = play(web('m-1', 'm-2').put(machine('db-1', { roles: ['db'] })), [install, migrate, ask, smoke])
    for (const id of ['m-1', 'm-2']) one.end('install', id)
    one.end('migrate', 'db-1')
    one.world.change('m-2', { roles: ['web', 'db'] })
    one.decide('approve')
    expect(one.atWork).toEqual(['migrate@m-2'])
  })

  it('of a kind that cannot have them breaks nothing for the others', () => {
    const one = play(web('m-1'), [install, ask, { ...find, mode: 'add' }, smoke])
    one.end('install', 'm-1')
    one.world.put(machine('m-2', { hasAgent: false }))
    one.decide('approve')
    expect(one.of('TargetsReevaluated')[0]!.data.leftOut).toMatchObject([{ machineId: 'm-2', reason: 'has no agent' }])
    expect(one.atWork).toEqual(['smoke@m-1'])
  })
})

// 2e.42
describe('a deployment that begins with no target', () => {
  const steps = [{ id: 'make', on: 'worker' }, { ...find, expect: { min: 2, withinMs: 300_000 } }, smoke]
  const begin = () => {
    const one = play(new TestWorld(machine('w', { roles: ['worker'] })), steps)
    one.end('make', 'w', succeeded())
    return one
  }

  it('goes on with those that appear', () => {
    const one = begin()
    one.world.put(machine('m-1')).put(machine('m-2'))
    one.advance(1_000)
    expect(one.atWork).toEqual(['smoke@m-1', 'smoke@m-2'])
  })

  it('fails when they do not appear in time, and says how many did', () => {
    const one = begin()
    one.world.put(machine('m-1'))
    one.advance(300_000)
    expect(one.ending?.reason).toBe('step find: after 300 s there were 1 machines, at least 2 expected')
  })
})

// 2e.43
describe('what a provider lists', () => {
  const pace = { everyMs: 30_000, timeoutMs: 10_000, silentAfter: 2, absentMeans: 'unknown' } as const
  const byGroup = { id: 'find', kind: 'reevaluate-targets', from: { group: 'shop' }, expect: { withinMs: 600_000 } }

  it('is asked for after the step began, and an empty or silent one is waited for and never believed', async () => {
    let mood: 'silent' | 'empty' | 'full' = 'full'
    const list = () => {
      if (mood === 'silent') return Promise.reject(new Error('no route'))
      const all = fleet.map((name) => ({
        id: null,
        instanceId: null,
        name,
        environment: null,
        state: 'running' as const,
      }))
      const group = mood === 'empty' ? null : 'shop'
      return Promise.resolve({ machines: all.map((one) => ({ ...one, group })), complete: true })
    }
    const cloud: ProviderSource = { provider: { name: 'cloud', kind: 'test', list }, pace }
    await using plane = await Plane.start({ dynamicRegistration: { provider: 'cloud' } }, { providers: [cloud] })
    await plane.machinesIn('a', ...fleet)
    await plane.pass(minuteMs)
    mood = 'silent'
    await carryOut(plane, [byGroup, { id: 'install' }])
    await plane.until(() => plane.count('DeploymentHeld') > 0)
    await plane.pass(2 * minuteMs)
    mood = 'empty'
    await plane.pass(2 * minuteMs)
    const waits = plane.events('DeploymentHeld').map(({ data }) => data.detail)
    expect(waits.some((one) => one.includes('does not tell who is in group shop'))).toBe(true)
    expect(waits.at(-1)).toContain('lists no running machine in group shop')
    expect([plane.count('TargetsReevaluated'), plane.count('StepFailed')]).toEqual([0, 0])
    mood = 'full'
    await plane.until(() => plane.count('DeploymentSucceeded') === 1, 10 * minuteMs)
    const [event] = plane.events('TargetsReevaluated')
    expect(event!.data).toMatchObject({ kept: expect.any(Array), heard: { provider: 'cloud', group: 'shop' } })
    expect(event!.data.kept).toHaveLength(fleet.length)
    expect(event!.data.heard!.at).toBeGreaterThanOrEqual(plane.events('StepStarted')[0]!.data.startedAt)
    expect(event!.data.seenPosition).toBeGreaterThan(0)
  })
})

// 2e.44
it('a machine that has come is a target seconds after it is well: nobody polls for it', async () => {
  await using plane = await Plane.start()
  await plane.machinesIn('a', ...fleet)
  const wanted = { ...find, from: { roles: [] }, mode: 'add', expect: { min: 5, withinMs: 3_600_000 } }
  await carryOut(plane, [wanted, { id: 'install' }])
  await plane.until(() => plane.count('DeploymentHeld') === 1)
  await plane.pass(10 * minuteMs)
  plane.machine('late-1', { zone: 'a' }).boot()
  await plane.until(
    () => plane.machines.get('late-1')!.machineId !== '' && plane.count('MachineBecameHealthy', 'late-1') === 1,
  )
  const wellMs = plane.world.steadyMs()
  await plane.until(() => plane.count('TargetsReevaluated') === 1)
  expect(plane.world.steadyMs() - wellMs).toBeLessThan(2_000)
  expect(plane.events('TargetsReevaluated')[0]!.data.added).toMatchObject([{ name: 'late-1' }])
})
