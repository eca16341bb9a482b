import { describe, expect, it } from 'vitest'
import { failed, processOf } from '#test/services/deployment/run/play.ts'
import {
  begun,
  done,
  names,
  oldOnes,
  served,
  swap,
  swapSteps,
  swapWorld,
  untilAsked,
  workerId,
} from '#test/services/deployment/run/swap/swapping.ts'
import { machine } from '#test/services/deployment/run/world.ts'

type Play = ReturnType<typeof swap>

const minuteMs = 60_000
const [create, uncreate, retarget, install, ask, attach, unattach, detach, undetach, test, destroy] = swapSteps
const stepOf = (one: Play, id: string) => one.state.steps.find(({ definition }) => definition.id === id)!
const leftBehindOf = (one: Play) => {
  const { data } = one.facts.at(-1)!
  return 'leftBehind' in data ? data.leftBehind : undefined
}
/** Whom the load balancer was told to take in, and out, in this order. */
const changesOf = (one: Play) => one.of('ServingChanged').map(({ data }) => `${data.change} ${names(data.machines)}`)

// Blue/green and machines of a cloud: field.md 2d.37, 2f.45 to 2f.47.

// 2d.37
describe('while a swap waits for a person', () => {
  it('a machine that goes is missed: it is asked again, and the swap is about those that are there', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    world.change('new-2', { registered: false })
    one.advance(minuteMs)
    one.decide('approve')
    expect(one.of('ApprovalRequested').at(-1)!.data.message).toContain('since it was approved, left: new-2')
    expect(one.atWork).toEqual([])
    one.decide('approve')
    expect(begun(one).at(-1)).toBe('attach new-1')
    // One cannot do the work of two, so those that serve go on doing so, and what is new is cleared away.
    done(one, 'attach')
    one.advance(5 * minuteMs)
    expect(stepOf(one, 'detach').reason).toMatch(/^SERVING_TOO_FEW: 1 healthy/)
    done(one, 'unattach')
    done(one, 'uncreate')
    expect(changesOf(one)).toEqual(['attached new-1', 'detached new-1'])
    expect(one.ending?.type).toBe('DeploymentFailed')
  })

  it('a machine that comes is told of, and gets no traffic before it has what the others have', () => {
    const world = swapWorld()
    const steps = [{ ...install, catchUp: true }, ask, attach]
    const one = swap(world, steps, { process: { ...processOf(...steps), joiners: 'include' } })
    for (const id of oldOnes) one.end('install', id)
    world.put(machine('late-1'))
    one.advance(minuteMs)
    expect(one.of('TargetsRevalidated').map(({ data }) => names(data.joined))).toEqual([['late-1']])
    one.decide('approve')
    expect(one.of('ApprovalRequested').at(-1)!.data.message).toContain('came: late-1')
    one.decide('approve')
    expect(one.atWork).toEqual(['install@late-1'])
    one.end('install', 'late-1')
    expect(begun(one)).toEqual(['attach old-1,old-2,late-1'])
  })

  it('nobody saying anything in time ends it, and nothing of it is left', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.advance(ask.timeLimitMs)
    done(one, 'uncreate')
    expect(one.ending?.reason).toBe('step ask: nobody decided in time')
    expect([changesOf(one), leftBehindOf(one)]).toEqual([[], []])
  })
})

// 2f.45
describe('the machines that served before', () => {
  it('serve on when the new ones are no good', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    world.change('new-1', { status: 'unhealthy' })
    one.decide('approve')
    one.advance(5 * minuteMs)
    expect(stepOf(one, 'attach').reason).toMatch(/^MACHINES_NOT_READY: new-1/)
    done(one, 'uncreate')
    expect(begun(one)).toEqual(['create', 'destroy new-1,new-2'])
  })

  it('are never taken out all at once, also when there are several sets of them', () => {
    const world = swapWorld()
    served(world, ['older-1'], 'before', '0.8')
    world.put(machine('older-1'))
    const half = { ...detach, effect: { ...detach.effect, minimumServing: '50%' } }
    const one = swap(world, [half])
    expect(begun(one)).toEqual([])
    expect(one.of('DeploymentHeld').at(-1)!.data.detail).toContain('0 healthy machines would be left that serve, and 2')
  })

  it('do not stay behind in silence when they cannot be destroyed', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.decide('approve')
    for (const stepId of ['attach', 'detach', 'test']) done(one, stepId)
    one.end('destroy', workerId, failed())
    one.advance(15 * minuteMs)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed' })
    expect(one.ending?.reason).toMatch(/^step destroy: exit code 1; undoing failed: step undetach: BEING_DESTROYED/)
    expect(leftBehindOf(one)).toEqual(expect.arrayContaining([...oldOnes]))
    // Half destroyed they are no help any more, so the new ones have to go on.
    expect(changesOf(one)).toEqual(['attached new-1,new-2', 'detached old-1,old-2'])
  })

  it('are not attached once more by being destroyed, nor afterwards', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.decide('approve')
    for (const stepId of ['attach', 'detach', 'test', 'destroy']) done(one, stepId)
    expect(changesOf(one)).toEqual(['attached new-1,new-2', 'detached old-1,old-2'])
    for (const fact of one.facts) world.servings.follow(fact)
    const back = swap(world, [{ ...attach, effect: { does: 'attach', machines: 'previous' } }])
    expect(back.ending?.reason).toMatch(/^step attach: MACHINES_NONE/)
  })
})

// 2f.46
describe('the guard', () => {
  it('knows what the run itself did last, also when nobody has told it yet', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.decide('approve')
    done(one, 'attach')
    expect(world.servings.at('shop', 'production').members.has('new-1')).toBe(false)
    expect(begun(one).at(-1)).toBe('detach old-1,old-2')
  })

  it('looks again each time before it refuses, says how old its knowledge is, and lets go at once', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.decide('approve')
    world.change('new-1', { status: 'unavailable' })
    done(one, 'attach')
    world.position = 70
    one.advance(minuteMs)
    const held = one.of('DeploymentHeld').at(-1)!.data
    expect(held).toMatchObject({ reason: 'capacity' })
    expect(held.detail).toMatch(/\(as of position \d+, listening for .+\)$/)
    world.change('new-1', { status: 'healthy' })
    one.advance(1_000)
    expect(one.of('EffectBegun').at(-1)!.data).toMatchObject({ does: 'detach', healthy: 4, seenPosition: 70 })
  })

  it('takes nothing for too late while it could not hear anybody', () => {
    const world = swapWorld()
    const one = swap(world)
    untilAsked(world, one)
    one.decide('approve')
    world.change('new-1', { status: 'unavailable' })
    done(one, 'attach')
    one.advance(4 * minuteMs)
    world.listeningSince = one.nowMs
    one.advance(4 * minuteMs)
    expect(stepOf(one, 'detach').state).toBe('running')
    one.advance(minuteMs)
    expect(stepOf(one, 'detach').reason).toMatch(/listening for 5 min\)$/)
  })
})

// 2f.47
describe('a swap that failed', () => {
  it.each([
    ['since not all of them have come', (one: Play) => one.advance(5 * minuteMs)],
    ['since what was to be installed failed', null],
  ])('%s, leaves no machine behind that somebody pays for', (_, fails) => {
    const world = swapWorld()
    const one = swap(world, [create, uncreate, retarget, install, attach, unattach, detach, undetach, test, destroy])
    done(one, 'create', { machines: 'new-1,new-2' })
    world.put(machine('new-1'))
    if (fails === null) {
      world.put(machine('new-2'))
      one.advance()
      for (const id of ['new-1', 'new-2']) one.end('install', id, failed())
    } else fails(one)
    expect(names(one.of('EffectBegun').at(-1)!.data.machines)).toEqual(['new-1', 'new-2'])
    done(one, 'uncreate')
    expect([one.ending?.type, leftBehindOf(one)]).toEqual(['DeploymentFailed', []])
  })

  it('says by name what it could not clear away', () => {
    const one = swap(swapWorld())
    one.end('create', workerId, { ...failed(), outputs: { machines: 'new-1' } })
    one.end('uncreate', workerId, failed())
    expect(one.ending?.reason).toContain('undoing failed: step uncreate: exit code 1')
    expect(leftBehindOf(one)).toEqual(['new-1'])
  })
})
