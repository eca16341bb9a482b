import { describe, expect, it } from 'vitest'
import { failed, play } from './play.ts'
import { machine, TestWorld } from './world.ts'

const beside = { start: 'with-previous' }
const worker = machine('w-1', { roles: ['worker'] })
const web = machine('m-1', { roles: ['web'] })
const db = machine('m-2', { roles: ['db'] })
const onWeb = { id: 'web', roles: ['web'] }
const onDb = { id: 'db', roles: ['db'], ...beside }

describe('steps that run side by side', () => {
  it('start together, and what comes after waits for all of them', () => {
    const one = play(new TestWorld(web, db, worker), [onWeb, onDb, { id: 'tell', on: 'worker' }])
    expect(one.atWork).toEqual(['web@m-1', 'db@m-2'])
    one.end('db', 'm-2')
    expect(one.atWork).toEqual(['web@m-1'])
    one.end('web', 'm-1')
    expect(one.atWork).toEqual(['tell@w-1'])
  })
  it('share a machine one task at a time', () => {
    const one = play(new TestWorld(web), [{ id: 'a' }, { id: 'b', ...beside }])
    expect(one.atWork).toEqual(['a@m-1'])
    one.end('a', 'm-1')
    expect(one.atWork).toEqual(['b@m-1'])
    one.end('b', 'm-1')
    expect(one.ending?.type).toBe('DeploymentSucceeded')
  })
  it('share a worker one task at a time', () => {
    const one = play(new TestWorld(web, worker), [
      { id: 'a', on: 'worker' },
      { id: 'b', on: 'worker', ...beside },
    ])
    expect(one.atWork).toEqual(['a@w-1'])
    one.end('a', 'w-1')
    expect(one.atWork).toEqual(['b@w-1'])
  })
  it('finish what runs and begin nothing new when one of them fails', () => {
    const other = machine('m-3', { roles: ['db'] })
    const one = play(new TestWorld(web, db, other), [onWeb, { ...onDb, window: 1 }, { id: 'next' }])
    one.end('web', 'm-1', failed())
    expect(one.ending).toBeNull()
    one.end('db', 'm-2')
    expect(one.of('StepFailed').map(({ data }) => [data.stepId, data.reason])).toEqual([
      ['web', 'm-1: exit code 1'],
      ['db', 'stopped, since step web beside it failed'],
    ])
    expect(one.ending).toMatchObject({
      type: 'DeploymentFailed',
      reason: 'step web: m-1: exit code 1',
      outcomes: { 'm-1': 'failed', 'm-3': 'untouched' },
    })
  })
  it('succeed beside one that failed, when nothing was left to begin', () => {
    const one = play(new TestWorld(web, db), [onWeb, onDb])
    one.end('web', 'm-1', failed())
    one.end('db', 'm-2')
    expect(one.of('StepSucceeded').map(({ data }) => data.stepId)).toEqual(['db'])
    expect(one.ending?.type).toBe('DeploymentFailed')
  })
  it('go on beside one that failed, when they run after failures too', () => {
    const other = machine('m-3', { roles: ['db'] })
    const one = play(new TestWorld(web, db, other), [onWeb, { ...onDb, window: 1, condition: 'always' }])
    one.end('web', 'm-1', failed())
    one.end('db', 'm-2')
    expect(one.atWork).toEqual(['db@m-3'])
  })
  it('try nothing again beside one that failed', () => {
    const one = play(new TestWorld(web, db), [onWeb, { ...onDb, attemptsMax: 3, retryAfterMs: 1_000 }])
    one.end('db', 'm-2', failed())
    one.end('web', 'm-1', failed())
    expect(one.ending).toMatchObject({ outcomes: { 'm-1': 'failed', 'm-2': 'failed' } })
  })
  it('leave out a target that failed only when no step has it at work', () => {
    const one = play(new TestWorld(web, machine('m-4', { roles: ['web'] })), [
      { id: 'a', onFailure: 'exclude', attemptsMax: 2, retryAfterMs: 1_000 },
      { id: 'b', ...beside },
    ])
    one.end('a', 'm-1', failed())
    expect(one.atWork).toEqual(['a@m-4', 'b@m-1'])
    one.advance(1_000)
    expect(one.atWork).toEqual(['a@m-4', 'b@m-1'])
    one.end('b', 'm-1')
    expect(one.atWork).toEqual(['a@m-4', 'a@m-1'])
    one.end('a', 'm-1', failed(), 2)
    expect(one.of('TargetExcluded')).toHaveLength(1)
  })
})
