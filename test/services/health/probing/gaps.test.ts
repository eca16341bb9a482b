import { describe, expect, it } from 'vitest'
import { busy, minuteMs, passes, probingStage, ProbingStage, silent } from './probingStage.ts'

/** A machine that has been found silent twice, which is once too little. */
const almostDown = async (): Promise<ProbingStage> => {
  const stage = await probingStage()
  await stage.clock.advance(minuteMs)
  stage.play(silent, 'm-1')
  await stage.clock.advance(2 * minuteMs)
  return stage
}
const down = async (): Promise<ProbingStage> => {
  const stage = await almostDown()
  await stage.clock.advance(minuteMs)
  expect((await stage.said()).at(-1)).toBe('MachineBecameUnavailable')
  return stage
}

describe('after a time in which nobody looked', () => {
  it.each<[string, (stage: ProbingStage) => Promise<void>]>([
    ['a restart', async (stage) => (await stage.stop(), await stage.begin())],
    ['a stall', async (stage) => (stage.clock.stall(600_000), stage.clock.advance(300))],
    [
      'a time in which no gateway spoke',
      async (stage) => {
        stage.hush()
        await stage.clock.advance(10_000)
        stage.speak()
        await stage.clock.advance(1_000)
      },
    ],
    [
      'a hush that is too short to be told of',
      async (stage) => {
        stage.hush()
        await stage.clock.advance(3_500)
        stage.speak()
        await stage.clock.advance(500)
      },
    ],
  ])('a machine has to be found silent as often as ever: %s', async (_, gap) => {
    const stage = await almostDown()
    await gap(stage)
    await stage.clock.advance(2 * minuteMs)
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
    await stage.clock.advance(minuteMs)
    expect((await stage.said()).at(-1)).toBe('MachineBecameUnavailable')
  })
  it('short pauses cost a machine nothing and save it from nothing', async () => {
    const stage = await almostDown()
    stage.clock.stall(1_500)
    await stage.clock.advance(minuteMs)
    expect((await stage.said()).at(-1)).toBe('MachineBecameUnavailable')
    const { data } = (await stage.events('health-m-1')).at(-1)!
    expect(data).toMatchObject({ evidence: { silentMs: 3 * minuteMs - 1_500 } })
  })
  it('what was under way in it and found nobody is not counted', async () => {
    const stage = await probingStage({ health: { failuresToGoDown: 1 } })
    await stage.clock.advance(minuteMs)
    stage.play(silent, 'm-1')
    stage.lookMs = 9_000
    await stage.clock.run(() => stage.underWay === 1, 2 * minuteMs)
    stage.clock.stall(6_000)
    await stage.clock.advance(9_000)
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
  })
  it('a crowd that has missed its turns is not looked at all at once', async () => {
    const stage = new ProbingStage()
    await stage.environment()
    await stage.probedMany(100)
    await stage.begin()
    await stage.clock.advance(minuteMs)
    const before = stage.begun.length
    stage.clock.stall(10 * minuteMs)
    await stage.clock.advance(1_000)
    expect(stage.begun.length - before).toBeLessThan(12)
    await stage.clock.advance(minuteMs)
    expect(stage.begun.length - before).toBeGreaterThan(95)
  })
  it('nobody is looked at while it lasts', async () => {
    const stage = await probingStage()
    stage.hush()
    await stage.clock.advance(10 * minuteMs)
    expect(stage.begun.length).toBeLessThanOrEqual(1)
  })
})

describe('a restart', () => {
  it('looks at nobody at once, and at each at the same place in the interval as before', async () => {
    const stage = await probingStage()
    await stage.clock.advance(2 * minuteMs)
    const [first = 0] = stage.looksAt('m-1')
    await stage.stop()
    const before = stage.begun.length
    await stage.begin()
    expect(stage.begun).toHaveLength(before)
    await stage.clock.advance(3 * minuteMs)
    for (const atMs of stage.looksAt('m-1')) expect((atMs - first) % minuteMs).toBe(0)
    expect(stage.looksAt('m-1').length).toBeGreaterThan(4)
  })
  it('never looks at who is not to be looked at', async () => {
    const stage = await probingStage()
    await stage.probe('m-1', null)
    for (let n = 0; n < 3; n++) {
      await stage.stop()
      await stage.begin()
    }
    await stage.clock.advance(5 * minuteMs)
    expect(stage.begun).toEqual([])
  })
  it('knows who was well, and says nothing twice', async () => {
    const stage = await probingStage()
    await stage.clock.advance(minuteMs)
    await stage.stop()
    await stage.begin()
    await stage.clock.advance(3 * minuteMs)
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
  })
  it('cuts looks off, and what they find later is nothing', async () => {
    const stage = await probingStage({ health: { failuresToGoDown: 1 } })
    stage.play(silent, 'm-1')
    stage.lookMs = minuteMs
    await stage.clock.run(() => stage.underWay === 1, 2 * minuteMs)
    await stage.stop()
    expect(stage.underWay).toBe(0)
    expect(await stage.said()).toEqual([])
  })
})

describe('whoever is about to remove a machine without an agent', () => {
  it('is told when it answers', async () => {
    const stage = await probingStage()
    await stage.clock.advance(10 * minuteMs)
    expect(await stage.confirm()).toMatchObject({ refused: 'MACHINE_ANSWERS' })
  })
  it('is told that it is silent, and for how long', async () => {
    const stage = await down()
    expect(await stage.confirm()).toMatchObject({ accepted: true })
    await stage.clock.advance(minuteMs)
    const heardAt = stage.looksAt('m-1')[0]! + stage.lookMs
    expect(await stage.confirm()).toMatchObject({ result: { silentMs: stage.clock.steadyMs() - heardAt } })
  })
  it('waits until it was found silent often enough after a restart, however long it had been silent before', async () => {
    const stage = await down()
    await stage.clock.advance(60 * minuteMs)
    await stage.stop()
    await stage.begin()
    for (let n = 0; n < 2; n++) {
      await stage.clock.advance(minuteMs)
      expect(await stage.confirm()).toMatchObject({ refused: 'MACHINE_ANSWERS' })
    }
    await stage.clock.advance(minuteMs)
    expect(await stage.confirm()).toMatchObject({ accepted: true })
  })
  it('can not make it look more often to have it sooner', async () => {
    const stage = await almostDown()
    for (let n = 0; n < 5; n++) {
      const looking = stage.ask('health', 'CheckMachine', { machineId: 'm-1' })
      await stage.clock.advance(20)
      expect(await looking).toMatchObject({ result: { answered: false, finding: 'refused' } })
    }
    expect(await stage.confirm()).toMatchObject({ refused: 'MACHINE_ANSWERS' })
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
  })
  it('needs to see it silent only once where the cloud says that it is terminated', async () => {
    const stage = await probingStage()
    await stage.clock.advance(minuteMs)
    expect(await stage.confirm('m-1', 'terminated')).toMatchObject({ refused: 'MACHINE_ANSWERS' })
    stage.play(silent, 'm-1')
    await stage.clock.advance(minuteMs)
    expect(await stage.confirm('m-1', 'terminated')).toMatchObject({ accepted: true })
    expect(await stage.confirm('m-1', 'unavailable')).toMatchObject({ refused: 'MACHINE_ANSWERS' })
  })
})

describe('a look that somebody asks for', () => {
  const look = async (stage: ProbingStage, machineId = 'm-1') => {
    const looking = stage.ask('health', 'CheckMachine', { machineId })
    await stage.clock.advance(20)
    return looking
  }
  it('is made at once, and answered with what was found', async () => {
    const stage = await probingStage()
    expect(await look(stage)).toMatchObject({
      accepted: true,
      result: { status: 'healthy', answered: true, connected: true, roundTripMs: 10, finding: 'answered', level: 'ok' },
    })
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
  })
  it('says why it found nothing', async () => {
    const stage = await probingStage()
    stage.play(busy, 'm-1')
    const { result } = (await look(stage)) as { result: object }
    expect(result).toMatchObject({
      status: 'unknown',
      answered: false,
      roundTripMs: null,
      finding: null,
      detail: 'busy',
    })
  })
  it('joins one that is under way', async () => {
    const stage = await probingStage()
    stage.lookMs = 5_000
    await stage.clock.run(() => stage.underWay === 1, 2 * minuteMs)
    const looking = stage.ask('health', 'CheckMachine', { machineId: 'm-1' })
    await stage.clock.advance(4_000)
    expect(stage.begun).toHaveLength(1)
    await stage.clock.advance(1_000)
    expect(await looking).toMatchObject({ result: { answered: true } })
  })
  it('counts when the machine answers', async () => {
    const stage = await down()
    stage.play(passes, 'm-1')
    await look(stage)
    expect((await stage.said()).at(-1)).toBe('MachineBecameUnavailable')
    expect(await stage.confirm()).toMatchObject({ refused: 'MACHINE_ANSWERS' })
    await look(stage)
    expect((await stage.said()).at(-1)).toBe('MachineBecameHealthy')
  })
})
