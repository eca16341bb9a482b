import { describe, expect, it } from 'vitest'
import { workOrderFor } from '#services/deployment/workOrder.ts'
import { failed, play, succeeded, taskIdOf } from './play.ts'
import { machine, TestWorld } from './world.ts'

const digest = 'a'.repeat(64)
const install = { id: 'install', kind: 'package', package: 'shop', roles: ['web'] }
const pin = { stepId: 'install', name: 'shop', version: '2.1', source: 'upload', digest, sizeBytes: 7 } as const

describe('a package step', () => {
  it('goes over its targets in a window, and tries again', () => {
    const world = new TestWorld(machine('m-1'), machine('m-2'), machine('db', { roles: ['db'] }))
    const one = play(world, [{ ...install, window: 1, attemptsMax: 2, retryAfterMs: 1_000 }])
    expect(one.atWork).toEqual(['install@m-1'])
    one.end('install', 'm-1', failed('download-failed'))
    expect(one.atWork).toEqual(['install@m-2'])
    one.end('install', 'm-2')
    one.advance(1_000)
    expect(one.atWork).toEqual(['install@m-1'])
    one.end('install', 'm-1', succeeded(), 2)
    expect(one.ending).toMatchObject({
      type: 'DeploymentSucceeded',
      outcomes: { 'm-1': 'succeeded', 'm-2': 'succeeded' },
    })
  })
  it.each(['download-failed', 'digest-wrong', 'archive-refused', 'exit-code'] as const)(
    'that fails as %s says so of the target',
    (reason) => {
      const one = play(new TestWorld(machine('m-1')), [install])
      one.end('install', 'm-1', failed(reason))
      const said = reason === 'exit-code' ? 'exit code 1' : reason
      expect(one.ending).toMatchObject({ type: 'DeploymentFailed', reason: `step install: m-1: ${said}` })
    },
  )
  it('is caught up on by newcomers', () => {
    const world = new TestWorld(machine('m-1'))
    const from = { roles: ['web'] }
    const find = { id: 'find', kind: 'reevaluate-targets', from, mode: 'add', expect: { min: 2 } }
    const one = play(world, [{ ...install, catchUp: true }, find])
    one.end('install', 'm-1')
    one.world.put(machine('m-2'))
    one.advance(1_000)
    expect(one.atWork).toEqual(['install@m-2'])
    one.end('install', 'm-2')
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-2': 'succeeded' } })
  })
  it('is a part of automatic deployments', () => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2')), [install], {
      kind: 'automatic',
      machineIds: ['m-2'],
    })
    expect(one.atWork).toEqual(['install@m-2'])
  })
  it('keeps its minimum healthy', () => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2')), [{ ...install, minimumHealthy: 1 }])
    expect(one.atWork).toEqual(['install@m-1'])
  })
})

describe('the work order of a package step', () => {
  const orderOf = (step: object, packages: object[] | undefined = [pin]) => {
    const one = play(new TestWorld(machine('m-1')), [{ ...install, ...step }], { packages: packages as never })
    return workOrderFor(one.state, one.state.tasks.get(taskIdOf('install', 'm-1'))!, machine('m-1'), 3)
  }
  it('carries the bytes that the release has fixed, and no script where there is none', () => {
    expect(orderOf({})).toMatchObject({
      ...{ script: '', package: { projectId: 'shop', name: 'shop', version: '2.1', digest, sizeBytes: 7, url: null } },
    })
    expect(orderOf({ script: './install.sh', keep: 5 })).toMatchObject({
      ...{ interpreter: 'bash', script: './install.sh', package: { keep: 5 } },
    })
  })
  it('says where to get one from an address, for the version of the release', () => {
    const url = 'https://a.example/shop-${REMUDA_VERSION}.tgz'
    expect(orderOf({ package: undefined, url })).toMatchObject({ package: { url: 'https://a.example/shop-1.0.tgz' } })
  })
  it('is none without a package', () => {
    expect(orderOf({}, [])).toBeNull()
    expect(orderOf({}, [{ ...pin, stepId: 'other' }])).toBeNull()
  })
})
