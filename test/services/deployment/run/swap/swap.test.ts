import { describe, expect, it } from 'vitest'
import { failed, succeeded } from '../play.ts'
import { machine } from '../world.ts'
import { begun, done, oldOnes, served, swap, swapSteps, swapWorld, untilAsked, workerId } from './swapping.ts'

const stepOf = (one: ReturnType<typeof swap>, id: string) =>
  one.state.steps.find(({ definition }) => definition.id === id)!

describe('an immutable swap', () => {
  it('attaches the new, detaches the old and destroys it, and says so', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.decide('approve')
    for (const stepId of ['attach', 'detach', 'test', 'destroy']) done(one, stepId)
    expect(begun(one)).toEqual(['create', 'attach new-1,new-2', 'detach old-1,old-2', 'destroy old-1,old-2'])
    expect(one.of('MachineDeregistrationRequested').map(({ data }) => data.machineId)).toEqual(oldOnes)
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'new-1': 'succeeded' } })
    expect(one.of('DeploymentSucceeded')[0]!.data.leftBehind).toEqual([])
    expect(stepOf(one, 'uncreate')).toMatchObject({ state: 'skipped', reason: 'nothing has failed' })
  })

  it('says with each step that begins how much serves, how much is to stay, and how old that knowledge is', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.decide('approve')
    done(one, 'attach')
    expect(one.of('EffectBegun').at(-1)!.data).toMatchObject({ serving: 4, healthy: 4, minimum: 2, seenPosition: 7 })
  })

  it('asks once more when what was approved is about other machines by now', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    world.change('new-2', { registered: false })
    one.decide('approve')
    expect(one.of('ApprovalRequested').map(({ data }) => data.machineIds)).toEqual([['new-1', 'new-2'], ['new-1']])
    expect(one.atWork).toEqual([])
    one.decide('approve')
    expect(begun(one).at(-1)).toBe('attach new-1')
  })

  it('keeps some former sets, and attaches the newest of them again at once', () => {
    const world = swapWorld()
    served(world, ['b-1'], 'later', '1.0')
    world.put(machine('b-1'))
    const detachOld = { id: 'x', kind: 'script', on: 'worker', script: 'true' }
    const gone = { deploymentId: 'later', stepId: 'detach', projectId: 'shop', environmentId: 'production' }
    const machines = oldOnes.map((name) => ({ name, machineId: name }))
    world.servings.follow({ type: 'ServingChanged', data: { ...gone, change: 'detached', machines, version: '1.0' } })

    const kept = swap(world, [{ ...detachOld, effect: { does: 'destroy', machines: 'previous', keep: 1 } }])
    expect(kept.of('StepSkipped')).toMatchObject([{ data: { reason: 'there is no machine to destroy' } }])

    const back = swap(world, [
      { ...detachOld, id: 'attach', effect: { does: 'attach', machines: 'previous' } },
      { ...detachOld, id: 'detach', effect: { does: 'detach', machines: 'previous', minimumServing: '100%' } },
    ])
    done(back, 'attach')
    done(back, 'detach')
    expect(begun(back)).toEqual(['attach old-1,old-2', 'detach b-1'])
    expect(back.of('ServingChanged')[0]!.data).toMatchObject({ version: '0.9' })
    expect(back.ending?.type).toBe('DeploymentSucceeded')
  })

  it('judges each attempt anew', () => {
    const world = swapWorld()
    const steps = swapSteps.map((step) =>
      step.id === 'detach' ? { ...step, attemptsMax: 3, retryAfterMs: 1_000, timeLimitMs: 600_000 } : step,
    )
    const one = swap(world, steps)
    untilAsked(world, one)
    one.decide('approve')
    done(one, 'attach')
    one.end('detach', workerId, failed())
    // A new machine dies between the attempts: detaching the old ones again could leave one.
    world.change('new-1', { status: 'unavailable' })
    one.advance(1_000)
    expect(one.atWork).toEqual([])
    expect(one.of('DeploymentHeld').at(-1)).toMatchObject({ data: { reason: 'capacity' } })
    world.change('new-1', { status: 'healthy' })
    one.advance(1_000)
    expect(one.atWork).toEqual([`detach@${workerId}`])
  })
})

describe('the capacity guard', () => {
  it('waits for what died to come back, shows it, and fails with a code when that takes too long', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.decide('approve')
    world.change('new-2', { status: 'unavailable' })
    done(one, 'attach')
    one.advance()
    const held = one.of('DeploymentHeld').at(-1)
    expect(held!.data).toMatchObject({ reason: 'capacity', until: stepOf(one, 'detach').startedAt + 300_000 })
    expect(held!.data.detail).toContain(
      'SERVING_TOO_FEW: 1 healthy machines would be left that serve, and 2 are to stay',
    )
    expect(held!.data.detail).toContain('as of position 7')
    one.advance(300_000)
    expect(stepOf(one, 'detach')).toMatchObject({ state: 'failed' })
    expect(stepOf(one, 'detach').reason).toMatch(/^SERVING_TOO_FEW: /)
  })

  it('counts whoever was removed or disabled as not serving', () => {
    for (const part of [{ registered: false }, { enabled: false }, { status: 'unhealthy' as const }]) {
      const world = swapWorld()
      const one = swap(world)
      untilAsked(world, one)
      one.decide('approve')
      world.change('new-2', part)
      done(one, 'attach')
      one.advance()
      expect(one.atWork).toEqual([])
    }
  })

  it('lets what no longer serves be detached, since that makes nothing worse', () => {
    const world = swapWorld()
    for (const id of oldOnes) world.change(id, { status: 'unavailable' })
    const steps = [{ ...swapSteps[7], effect: { does: 'detach', machines: 'previous', minimumServing: 2 } }]
    const one = swap(world, steps)
    expect(one.atWork).toEqual([`detach@${workerId}`])
  })

  it('never destroys what serves, nor deregisters it', () => {
    const destroy = { id: 'd', kind: 'script', on: 'worker', script: 'true' }
    const named = { id: 'say', kind: 'script', on: 'worker', script: 'true' }
    for (const last of [
      { ...destroy, effect: { does: 'destroy', machines: { output: 'say.names' } } },
      { id: 'd', kind: 'deregister-machines', from: { output: 'say.names' } },
    ]) {
      const world = swapWorld()
      const one = swap(world, [named, last], { targetRoles: ['nobody'] })
      done(one, 'say', { names: 'old-1' })
      expect(one.ending?.reason).toMatch(/^step d: STILL_SERVES: old-1/)
    }
  })

  it('does not destroy what was detached by an attempt that failed, since it may still serve', () => {
    const world = swapWorld()
    const steps = [
      { ...swapSteps[7], effect: { does: 'detach', machines: 'previous' }, condition: 'always' },
      { ...swapSteps[10], condition: 'failure', effect: { does: 'destroy', machines: { output: 'say.names' } } },
    ]
    served(world, ['new-1'])
    world.put(machine('new-1'))
    const one = swap(world, [{ ...swapSteps[9], id: 'say' }, ...steps.map((step) => ({ ...step }))])
    done(one, 'say', { names: 'old-1' })
    expect(begun(one)).toEqual([])
  })

  it('never attaches again what is being destroyed', () => {
    const world = swapWorld()
    const data = { deploymentId: 'earlier', stepId: 'destroy', projectId: 'shop', environmentId: 'production' }
    const seen = { serving: 2, healthy: 2, minimum: null, seenPosition: 1, listeningMs: 1 }
    world.put(machine('new-1'))
    const machines = [{ name: 'new-1', machineId: 'new-1' }]
    const about = { ...data, ...seen, attempt: 1, does: 'destroy', machines }
    world.servings.follow({ type: 'EffectBegun', data: about })
    const one = swap(world, [
      { ...swapSteps[9], id: 'say' },
      { ...swapSteps[5], effect: { does: 'attach', machines: { output: 'say.names' } } },
    ])
    done(one, 'say', { names: 'new-1' })
    expect(one.ending?.reason).toBe('step attach: BEING_DESTROYED: new-1')
  })

  it('knows what was attached beside a step that failed', () => {
    const world = swapWorld()
    world.put(machine('new-1'))
    const one = swap(world, [
      { ...swapSteps[9], id: 'say' },
      { ...swapSteps[5], effect: { does: 'attach', machines: { output: 'say.names' } } },
      { id: 'beside', roles: ['web'], start: 'with-previous' },
    ])
    done(one, 'say', { names: 'new-1' })
    one.end('beside', 'old-1', failed())
    for (const id of ['old-2', 'new-1']) if (one.atWork.includes(`beside@${id}`)) one.end('beside', id)
    done(one, 'attach')
    expect(one.of('ServingChanged')).toMatchObject([{ data: { change: 'attached' } }])
    expect(one.ending?.type).toBe('DeploymentFailed')
  })

  it('does not take for done what an attempt did not say', () => {
    const one = swap(swapWorld(), [swapSteps[0]])
    one.end('create', workerId, succeeded())
    expect(one.ending?.reason).toMatch(/^step create: MACHINES_NONE/)
  })
})
