import { describe, expect, it } from 'vitest'
import { play, succeeded } from './play.ts'
import { machine, TestWorld } from './world.ts'

const graceMs = 10_000
const abandoning = () => {
  const one = play(new TestWorld(machine('m-1'), machine('m-2')), [{ id: 'a' }], { cancelGraceMs: graceMs })
  one.cancel()
  one.advance(graceMs)
  return one
}

describe('a task that is given up', () => {
  it('is marked before it is lost, so that its machine is free for nobody in between', () => {
    const one = abandoning()
    expect(one.types.slice(-5)).toEqual([
      ...['TargetMarkedDirty', 'TaskLost', 'TargetMarkedDirty', 'TaskLost', 'DeploymentCancelled'],
    ])
    expect(one.ending?.outcomes).toEqual({ 'm-1': 'lost', 'm-2': 'lost' })
  })
  it('is marked once, also where the decision was cut behind the mark', () => {
    const one = abandoning()
    one.facts.length = one.types.indexOf('TargetMarkedDirty') + 1
    one.advance()
    expect(one.of('TargetMarkedDirty')).toHaveLength(2)
    expect(one.ending?.type).toBe('DeploymentCancelled')
  })
  it('leaves its machine free when it tells its end between the mark and the loss', () => {
    const one = abandoning()
    one.facts.length = one.types.indexOf('TargetMarkedDirty') + 1
    const facts = one.end('a', 'm-1', succeeded()) as readonly { type: string }[]
    expect(facts.map(({ type }) => type).slice(0, 2)).toEqual(['TargetCleaned', 'TaskSucceeded'])
    expect(one.state.dirty.toArray()).toEqual([one.of('TaskDispatched')[1]!.data.taskId])
    expect(one.ending?.outcomes).toEqual({ 'm-1': 'succeeded', 'm-2': 'lost' })
  })
})
