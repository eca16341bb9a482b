import { describe, expect, it } from 'vitest'
import type { Created } from '#services/deployment/run/state.ts'
import { failed, processOf, RunPlay } from './play.ts'
import { machine, TestWorld } from './world.ts'

const web = (...names: readonly string[]) => new TestWorld(...names.map((name) => machine(name)))
const install = { id: 'install', roles: ['web'], catchUp: true }
const ask = { id: 'ask', kind: 'approval', message: 'go?' }
const smoke = { id: 'smoke', roles: ['web'] }

const begin = (world: TestWorld, joiners: 'include' | 'ignore' | null, ...steps: readonly object[]) => {
  const process = { ...processOf(...steps), ...(joiners && { joiners }) }
  return new RunPlay(world, process).create()
}
const told = (one: RunPlay) =>
  one.of('TargetsRevalidated').map(({ data: { joined, ignored } }) => ({
    joined: joined.map(({ machineId, catchUp }) => [machineId, ...catchUp]),
    ignored: ignored.map(({ machineId }) => machineId),
  }))

/** Installed on both, and held by a question. */
function held(joiners: 'include' | 'ignore' | null, world = web('m-1', 'm-2')) {
  const one = begin(world, joiners, install, ask, smoke)
  one.end('install', 'm-1')
  one.end('install', 'm-2')
  return one
}

describe('a machine that comes while a deployment is held', () => {
  it.each([null, 'ignore'] as const)('is told of and left to automatic deployments: joiners %s', (joiners) => {
    const one = held(joiners)
    one.world.put(machine('m-3'))
    one.advance(10_000)
    expect(told(one)).toEqual([{ joined: [], ignored: ['m-3'] }])
    expect(one.of('TargetsRevalidated')[0]!.data.ignored[0]!.reason).toContain('left to automatic deployments')
    one.decide('approve')
    expect(one.atWork).toEqual(['smoke@m-1', 'smoke@m-2'])
    one.advance(60_000)
    expect(told(one)).toHaveLength(1)
  })

  it('is taken in where the process says so, and makes up for the steps that are marked', () => {
    const one = held('include')
    one.world.put(machine('m-3'))
    one.decide('approve')
    expect(told(one)).toEqual([{ joined: [['m-3', 'install']], ignored: [] }])
    expect(one.atWork).toEqual(['install@m-3'])
    one.end('install', 'm-3')
    expect(one.atWork).toEqual(['smoke@m-1', 'smoke@m-2', 'smoke@m-3'])
    for (const machineId of ['m-1', 'm-2', 'm-3']) one.end('smoke', machineId)
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-3': 'succeeded' } })
  })

  it('is told of now and then, and not each for itself', () => {
    const one = held('ignore')
    one.advance(10_000)
    for (let number = 3; number < 23; number++) {
      one.world.put(machine(`m-${number}`))
      one.advance(1_000)
    }
    expect(told(one).length).toBeLessThanOrEqual(3)
    one.decide('approve')
    expect(told(one).flatMap(({ ignored }) => ignored)).toHaveLength(20)
  })

  it('fails nobody but itself', () => {
    const one = held('include')
    one.world.put(machine('m-3'))
    one.decide('approve')
    one.end('install', 'm-3', failed())
    expect(one.atWork).toEqual(['smoke@m-1', 'smoke@m-2'])
    one.end('smoke', 'm-1')
    one.end('smoke', 'm-2')
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-3': 'failed' } })
  })

  it('is waited for no longer than the contact budget when it goes away again', () => {
    const one = held('include')
    one.world.put(machine('m-3'))
    one.advance(10_000)
    one.world.change('m-3', { status: 'unavailable', statusSince: one.nowMs })
    one.decide('approve')
    expect(one.atWork).toEqual([])
    one.advance(120_000)
    expect(one.of('TargetExcluded')).toMatchObject([{ data: { machineId: 'm-3', cause: 'not-contactable' } }])
    expect(one.atWork).toEqual(['smoke@m-1', 'smoke@m-2'])
  })

  it('comes after the first targets where these are watched, in time for the next step', () => {
    const canary = { size: 1, hold: { approval: 'the others?' } }
    const one = begin(web('m-1', 'm-2'), 'include', { ...install, canary }, smoke)
    one.end('install', 'm-1')
    one.world.put(machine('m-3'))
    one.decide('approve')
    one.end('install', 'm-2')
    expect(one.atWork).toEqual(['install@m-3'])
  })

  it('comes after a person has said what becomes of one that failed, in time for the next step', () => {
    const one = begin(web('m-1', 'm-2'), 'include', { ...install, onFailure: 'ask' }, smoke)
    one.end('install', 'm-1', failed())
    one.world.put(machine('m-3'))
    one.end('install', 'm-2')
    one.decide('exclude')
    expect(one.atWork).toEqual(['install@m-3'])
  })

  it.each<[string, Partial<Created>]>([
    ['named', { machineIds: ['m-1', 'm-2'] }],
    ['that came by themselves', { kind: 'automatic', machineIds: ['m-1', 'm-2'] }],
  ])('is no business of a deployment to machines %s', (_, changes) => {
    const process = { ...processOf(install, smoke), joiners: 'include' as const }
    const one = new RunPlay(web('m-1', 'm-2'), process, changes).create()
    one.world.put(machine('m-3'))
    one.end('install', 'm-1')
    one.end('install', 'm-2')
    expect(told(one)).toEqual([])
  })

  it('is left to the re-evaluation where one is to come', () => {
    const find = { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, mode: 'add' }
    const one = begin(web('m-1', 'm-2'), null, install, ask, find, smoke)
    one.end('install', 'm-1')
    one.end('install', 'm-2')
    one.world.put(machine('m-3'))
    one.advance(60_000)
    expect(told(one)).toEqual([])
    one.decide('approve')
    expect(one.atWork).toEqual(['install@m-3'])
  })

  it('follows the selector of the last re-evaluation, and none when machines were named', () => {
    const find = { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] } }
    const one = begin(web('m-1'), 'include', find, ask, install)
    one.world.put(machine('m-2')).put(machine('db-1', { roles: ['db'] }))
    one.decide('approve')
    expect(told(one)).toEqual([{ joined: [['m-2']], ignored: [] }])
    const make = { id: 'make', on: 'worker' }
    const byName = { ...find, from: { output: 'make.NEW' } }
    const two = begin(web('m-1').put(machine('w', { roles: ['worker'] })), 'include', make, byName, ask, install)
    two.end('make', 'w', { outcome: 'succeeded', outputs: { NEW: 'm-1' }, durationMs: 1, logTruncated: false })
    two.world.put(machine('m-2'))
    two.decide('approve')
    expect([told(two), two.atWork]).toEqual([[], ['install@m-1']])
  })
})

describe('a target', () => {
  it('that is gone while a deployment is held is left out before the next step', () => {
    const one = held('ignore')
    one.world.change('m-2', { registered: false })
    one.advance()
    expect(one.of('TargetExcluded')).toMatchObject([{ data: { machineId: 'm-2', cause: 'removed' } }])
    one.decide('approve')
    expect(one.atWork).toEqual(['smoke@m-1'])
  })

  it.each(['include', 'ignore'] as const)('that left and came back is new: joiners %s', (joiners) => {
    const one = held(joiners)
    one.world.change('m-2', { enabled: false })
    one.advance()
    one.world.change('m-2', { enabled: true })
    one.decide('approve')
    // What it has run already it does not run again.
    const expected = joiners === 'include' ? { joined: [['m-2']], ignored: [] } : { joined: [], ignored: ['m-2'] }
    expect(told(one)).toEqual([expected])
  })

  it('whose roles were changed does the work of the new ones from the next step on', () => {
    const migrate = { id: 'migrate', roles: ['db'], catchUp: true }
    const back = { id: 'backup', roles: ['db'] }
    const one = begin(
      web('m-1', 'm-2').put(machine('db-1', { roles: ['db'] })),
      'ignore',
      install,
      migrate,
      ask,
      smoke,
      back,
    )
    for (const machineId of ['m-1', 'm-2']) one.end('install', machineId)
    one.end('migrate', 'db-1')
    one.world.change('m-2', { roles: ['db'] })
    one.decide('approve')
    expect(told(one)).toEqual([{ joined: [['m-2', 'migrate']], ignored: [] }])
    expect(one.atWork).toEqual(['migrate@m-2'])
    one.end('migrate', 'm-2')
    one.end('smoke', 'm-1')
    expect(one.atWork.toSorted()).toEqual(['backup@db-1', 'backup@m-2'])
  })

  it('that has none of the roles any more is left out, and says why', () => {
    const one = held('ignore')
    one.world.change('m-2', { roles: ['odd'] })
    one.decide('approve')
    expect(one.of('TargetExcluded')).toMatchObject([
      { data: { cause: 'roles-changed', detail: 'its roles were web and are odd' } },
    ])
    expect(one.atWork).toEqual(['smoke@m-1'])
  })
})

it('nobody joins a run that clears up after a failure', () => {
  const one = begin(web('m-1'), 'include', install, { id: 'tidy', roles: ['web'], condition: 'always' })
  one.world.put(machine('m-2'))
  one.end('install', 'm-1', failed())
  expect([told(one), one.atWork]).toEqual([[], ['tidy@m-1']])
})
