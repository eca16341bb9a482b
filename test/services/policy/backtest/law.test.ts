import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BacktestReply } from '#contracts/backtest.ts'
import { policyStage, quick, type PolicyStage } from '../policing.ts'

const minuteMs = 60_000
const sweepMs = 1_000

/** What the policy that held would have done, asked of the service that did it. */
async function backtested(stage: PolicyStage, fromAt: number): Promise<BacktestReply> {
  const answer = await stage.ask('policy', 'BacktestPolicy', { environmentId: 'production', policy: null, fromAt })
  if ('refused' in answer) throw new Error(answer.detail)
  return BacktestReply.parse({ position: answer.position, ...answer.result })
}

/** Same machines, same order, and every instant within one sweep. */
function expectTheSame({ proposed, actual, difference }: BacktestReply): void {
  for (const list of ['removed', 'withheld', 'deferred'] as const) {
    const [ours, theirs] = [proposed[list].items, actual[list].items]
    expect(ours.map(({ machineId }) => machineId)).toEqual(theirs.map(({ machineId }) => machineId))
    for (const [index, { at }] of ours.entries()) expect(Math.abs(at - theirs[index]!.at)).toBeLessThanOrEqual(sweepMs)
  }
  expect(proposed.incidents.items.map(({ domain, how }) => ({ domain, how }))).toEqual(
    actual.incidents.items.map(({ domain, how }) => ({ domain, how })),
  )
  expect(proposed.returnedWithinHour).toBe(actual.returnedWithinHour)
  for (const { onlyProposed, onlyActual, both } of Object.values(difference)) {
    expect([onlyProposed.count, onlyActual.count]).toEqual([0, 0])
    for (const { differenceMs } of both.items) expect(Math.abs(differenceMs)).toBeLessThanOrEqual(sweepMs)
  }
}

const started = async (machines: number, settings = quick) => {
  const stage = await policyStage(settings)
  const fromAt = stage.clock.wallMs()
  for (let n = 0; n < machines; n++) await stage.machine(`m-${n}`)
  await stage.clock.advance(10 * minuteMs)
  return { stage, fromAt }
}
const gap = async (stage: PolicyStage, forMs: number) => {
  const about = { observerId: 'health', reason: 'stalled', startedAt: stage.clock.steadyMs() }
  await stage.happened('observer-health', { type: 'ObservationGapStarted', data: about })
  await stage.clock.advance(forMs)
  const data = { ...about, endedAt: stage.clock.steadyMs() }
  await stage.happened('observer-health', { type: 'ObservationGapEnded', data })
}

describe('the backtest of a run under the policy that held is what happened:', () => {
  it('machines that are removed, and some that come back', async () => {
    const { stage, fromAt } = await started(10)
    await stage.unavailable('m-0')
    await stage.clock.advance(3 * minuteMs + 137)
    await stage.unavailable('m-1')
    await stage.clock.advance(20 * minuteMs)
    await stage.machine('m-1')
    await stage.clock.advance(20 * minuteMs)
    const reply = await backtested(stage, fromAt)
    expectTheSame(reply)
    expect(reply.proposed.removed).toMatchObject({
      count: 2,
      items: [
        { machineId: 'm-0', rule: 'unavailable', returnedAfterMs: null },
        { machineId: 'm-1', returnedAfterMs: expect.any(Number) },
      ],
    })
    expect(reply.proposed.returnedWithinHour).toBe(1)
  })
  it('silence in which nobody listened', async () => {
    const { stage, fromAt } = await started(10)
    await stage.unavailable('m-0')
    await stage.clock.advance(4 * minuteMs)
    await gap(stage, 7 * minuteMs + 250)
    await stage.clock.advance(30 * minuteMs)
    const reply = await backtested(stage, fromAt)
    expectTheSame(reply)
    expect(reply.proposed.removed.count).toBe(1)
  })
  it('a guard that trips, a person who lets some go, and the rest that come back', async () => {
    const { stage, fromAt } = await started(30)
    for (let n = 0; n < 10; n++) await stage.unavailable(`m-${n}`)
    await stage.clock.advance(12 * minuteMs)
    await stage.ask('policy', 'ReleaseWithheldRemovals', { environmentId: 'production', machineIds: ['m-7', 'm-8'] })
    await stage.clock.advance(2 * minuteMs)
    await stage.healthy('m-9')
    await stage.clock.advance(60 * minuteMs)
    const reply = await backtested(stage, fromAt)
    expectTheSame(reply)
    expect(reply.proposed.incidents).toMatchObject({ count: 1, items: [{ machines: 7, domain: null }] })
    expect(reply.proposed.removed.count).toBe(10)
    expect(reply.proposed.withheld.count).toBeGreaterThan(4)
  })
  it('a removal that was given up since the machine answered', async () => {
    const { stage, fromAt } = await started(10)
    await stage.unavailable('m-0')
    stage.silent = () => false
    await stage.clock.advance(10 * minuteMs + 20_000)
    stage.silent = () => true
    await stage.clock.advance(5 * minuteMs)
    const reply = await backtested(stage, fromAt)
    expectTheSame(reply)
    expect(reply.proposed.removed.count).toBe(1)
  })
  it('a restart, a machine that a person sold, and one that a deployment could not contact', async () => {
    const { stage, fromAt } = await started(12)
    await stage.unavailable('m-0')
    await stage.unavailable('m-1')
    const closed = stage.policy[Symbol.asyncDispose]()
    await stage.clock.advance(20_000)
    await closed
    await stage.beginPolicy()
    await stage.deregistered('m-0')
    await stage.release('1.0', [{ id: 'install' }])
    await stage.deploy('1.0')
    await stage.clock.advance(30 * minuteMs)
    const reply = await backtested(stage, fromAt)
    expectTheSame(reply)
    expect(reply.proposed.removed).toMatchObject({ count: 1, items: [{ machineId: 'm-1', rule: 'not-contactable' }] })
  })
  it('any run', { timeout: 120_000 }, async () => {
    const machine = fc.nat(11)
    const doing = fc.oneof(
      { weight: 5, arbitrary: fc.record({ what: fc.constant('silent' as const), machine }) },
      { weight: 4, arbitrary: fc.record({ what: fc.constant('heard' as const), machine }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('gap' as const, 'release' as const), machine }) },
    )
    const step = fc.record({
      doing: fc.array(doing, { maxLength: 5 }),
      waitMs: fc.integer({ min: 1_500, max: 400_000 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 8 }), async (steps) => {
        const { stage, fromAt } = await started(12)
        for (const { doing: all, waitMs } of steps) {
          for (const one of all) await carryOut(stage, one)
          await stage.clock.advance(waitMs)
        }
        await stage.clock.advance(20 * minuteMs)
        expectTheSame(await backtested(stage, fromAt))
        await stage.close()
      }),
      { numRuns: 25 },
    )
  })
})

async function carryOut(stage: PolicyStage, { what, machine }: { readonly what: string; readonly machine: number }) {
  const machineId = `m-${machine}`
  const events = await stage.events(`machine-${machineId}`)
  const isHere = events.findLast(({ type }) => type.startsWith('Machine'))?.type !== 'MachineDeregistered'
  const isSilent = (await stage.types(`health-${machineId}`)).at(-1) === 'MachineBecameUnavailable'
  if (what === 'silent' && isHere && !isSilent) await stage.unavailable(machineId)
  if (what === 'heard') await (isHere ? stage.healthy(machineId) : stage.machine(machineId))
  if (what === 'gap') await gap(stage, 45_500)
  if (what === 'release')
    await stage.ask('policy', 'ReleaseWithheldRemovals', { environmentId: 'production', machineIds: null })
}
