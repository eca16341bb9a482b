import { describe, expect, it } from 'vitest'
import { failed, succeeded, taskIdOf, type RunPlay } from '../play.ts'
import { begun, done, names, oldOnes, swap, swapSteps, swapWorld, untilAsked, workerId } from './swapping.ts'

const running = (one: RunPlay) =>
  one.state.steps.filter(({ state }) => state === 'running').map(({ definition }) => definition.id)
const leftBehind = (one: RunPlay) => {
  const end = one.facts.at(-1)!
  return 'leftBehind' in end.data ? end.data.leftBehind : undefined
}

describe('what a failed run has done is undone', () => {
  it('in reverse order, and what served before serves again', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.decide('approve')
    done(one, 'attach')
    done(one, 'detach')
    one.end('test', workerId, failed())
    for (const stepId of ['undetach', 'unattach', 'uncreate']) done(one, stepId)
    expect(begun(one).slice(3)).toEqual(['attach old-1,old-2', 'detach new-1,new-2', 'destroy new-1,new-2'])
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', reason: 'step test: exit code 1' })
    expect(leftBehind(one)).toEqual([])
  })

  it('only as far as it had begun', () => {
    const world = swapWorld()
    const one = swap(world)
    done(one, 'create', { machines: 'new-1,new-2' })
    one.advance(300_000)
    expect(running(one)).toEqual(['uncreate'])
    expect(names(one.of('EffectBegun').at(-1)!.data.machines)).toEqual(['new-1', 'new-2'])
    done(one, 'uncreate')
    expect(one.of('StepSkipped').map(({ data }) => data.reason)).toContain('there is nothing to undo')
    expect(one.ending?.type).toBe('DeploymentFailed')
  })

  it('when nobody approves in time, which ends the run', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    expect(running(one)).toEqual(['ask'])
    one.advance(600_000)
    done(one, 'uncreate')
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', reason: 'step ask: nobody decided in time' })
    expect(begun(one)).toEqual(['create', 'destroy new-1,new-2'])
  })

  it('when it is cancelled, with time of its own, and once more cancelling loses nothing', () => {
    const world = swapWorld()
    const one = swap(world, swapSteps, { timeLimitMs: 60_000 })
    untilAsked(world, one)
    one.cancel()
    expect(running(one)).toContain('uncreate')
    one.advance(90_000)
    expect(one.cancel('again')).toEqual([])
    expect(one.atWork).toEqual([`uncreate@${workerId}`])
    done(one, 'uncreate')
    expect(one.ending).toMatchObject({ type: 'DeploymentCancelled', reason: 'enough' })
    expect(leftBehind(one)).toEqual([])
  })

  it('when it is cancelled while it undoes already', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.decide('reject')
    one.cancel()
    expect(one.of('TaskCancelRequested')).toEqual([])
    done(one, 'uncreate')
    expect(one.ending?.type).toBe('DeploymentCancelled')
  })

  it('when its time is over', () => {
    const world = swapWorld()
    const one = swap(world, swapSteps, { timeLimitMs: 60_000 })
    untilAsked(world, one)
    one.advance(60_000)
    done(one, 'uncreate')
    expect(one.ending?.reason).toMatch(/time limit/)
  })

  it('with what attempts said that failed, were cancelled, or were lost', () => {
    const said = { outputs: { machines: 'new-1' } }
    const failing = swap(swapWorld())
    failing.end('create', workerId, { ...failed(), ...said })
    expect(begun(failing)).toEqual(['create', 'destroy new-1'])

    const cancelling = swap(swapWorld())
    cancelling.cancel()
    cancelling.end('create', workerId, { ...failed('cancelled'), ...said })
    expect(begun(cancelling)).toEqual(['create', 'destroy new-1'])

    const world = swapWorld()
    const steps = swapSteps.map((step) =>
      step.id === 'uncreate' ? { ...step, attemptsMax: 2, retryAfterMs: 1 } : step,
    )
    const losing = swap(world, steps)
    world.expired.add(taskIdOf('create', workerId))
    losing.advance()
    losing.end('create', workerId, succeeded(said.outputs))
    losing.end('uncreate', workerId, failed())
    losing.advance(1)
    expect(begun(losing)).toEqual(['create', 'destroy', 'destroy new-1'])
  })

  it('down to nothing where nothing served before', () => {
    const world = swapWorld()
    world.servings.follow({
      type: 'ServingChanged',
      data: {
        ...{ deploymentId: 'earlier', stepId: 'detach', projectId: 'shop', environmentId: 'production' },
        ...{ change: 'detached', version: '0.9', machines: oldOnes.map((id) => ({ name: id, machineId: id })) },
      },
    })
    const one = swap(world)
    untilAsked(world, one)
    one.decide('approve')
    done(one, 'attach')
    one.end('test', workerId, failed())
    for (const stepId of ['unattach', 'uncreate']) done(one, stepId)
    expect(begun(one).slice(2)).toEqual(['detach new-1,new-2', 'destroy new-1,new-2'])
    expect(leftBehind(one)).toEqual([])
  })

  it('and what cannot be is told, with the names of what is left behind', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.decide('reject')
    one.end('uncreate', workerId, failed())
    expect(one.ending?.reason).toBe('step ask: rejected by a person; undoing failed: step uncreate: exit code 1')
    expect(leftBehind(one)).toEqual(['new-1', 'new-2'])
  })

  it('but never by destroying what could not be taken out', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.decide('approve')
    done(one, 'attach')
    done(one, 'detach')
    one.end('test', workerId, failed())
    // The old ones have died, so nothing else serves but the new.
    for (const id of ['old-1', 'old-2']) world.change(id, { status: 'unavailable' })
    one.end('undetach', workerId, failed())
    one.advance(300_000)
    expect(begun(one)).not.toContain('destroy new-1,new-2')
    expect(one.ending?.reason).toContain('STILL_SERVES')
    expect(leftBehind(one)).toEqual(['new-1', 'new-2'])
  })
})
