import { describe, expect, it } from 'vitest'
import { ExplainRemovalReply, WhatIfReply } from '#contracts/backtest.ts'
import { machineStream } from '#contracts/subjects.ts'
import type { Clock } from '#libs/clock.ts'
import { startPolicy } from '#services/policy/service.ts'
import { watchedStore } from '#test/support/stores.ts'
import type { Settings } from '../deployment/stage.ts'
import { policyStage, quick, type PolicyStage } from './policing.ts'

const minuteMs = 60_000
const environmentId = 'production'

async function fleet(machines: number, settings: Settings = quick): Promise<PolicyStage> {
  const stage = await policyStage(settings)
  for (let n = 0; n < machines; n++) {
    const machineId = `m-${n}`
    const who = { machineId, name: `name-${n}`, environmentId, roles: n % 2 === 0 ? ['web'] : ['web', 'cache'] }
    const data = {
      ...who,
      facts: null,
      attributes: { zone: n < 4 ? 'a' : 'b' },
      publicKey: 'k'.repeat(43),
      enrollmentId: null,
    }
    await stage.happened(machineStream(machineId), { type: 'MachineRegistered', data: { ...data, returnedFrom: null } })
    await stage.healthy(machineId)
  }
  return stage
}

async function whatIf(stage: PolicyStage, silent: object, more: object = {}): Promise<WhatIfReply> {
  const answer = await stage.ask('policy', 'WhatIf', { environmentId, silent, ...more })
  if ('refused' in answer) throw new Error(`${answer.refused}: ${answer.detail}`)
  return WhatIfReply.parse({ position: answer.position, ...answer.result })
}
async function explain(stage: PolicyStage, machineId: string): Promise<ExplainRemovalReply> {
  const answer = await stage.ask('policy', 'ExplainRemoval', { machineId })
  if ('refused' in answer) throw new Error(answer.refused)
  return ExplainRemovalReply.parse(answer.result)
}

describe('what if machines fell silent:', () => {
  it('one would be removed once its silence was found and has lasted', async () => {
    const stage = await fleet(20)
    const { outcome, fallen, at, fullStopAt } = await whatIf(stage, { machines: ['m-1'] })
    expect([fallen, fullStopAt]).toEqual([1, null])
    expect(outcome.removed).toMatchObject({
      count: 1,
      items: [{ machineId: 'm-1', name: 'name-1', at: at + 11 * minuteMs, rule: 'unavailable', returnedAfterMs: null }],
    })
    expect(outcome.incidents.count).toBe(0)
  })
  it('nothing of it happens, and nothing is recorded', async () => {
    const stage = await fleet(20)
    const before = await stage.events()
    await whatIf(stage, { share: 1 })
    await stage.clock.advance(60 * minuteMs)
    expect(await stage.events()).toEqual(before)
  })
  it('a failure domain of which most is gone is let go little by little', async () => {
    const { outcome, fallen } = await whatIf(await fleet(20), { domain: { value: 'b' } }, { horizonMs: '30m' })
    expect(fallen).toBe(16)
    expect(outcome.incidents.items).toMatchObject([{ domain: null, machines: 16, share: 0.8, until: null }])
    expect([outcome.removed.count, outcome.withheld.count]).toEqual([0, 16])
  })
  it('so many that none is let go is said', async () => {
    const stage = await fleet(20)
    const { fullStopAt, at, fallen } = await whatIf(stage, { share: 0.6 })
    expect([fullStopAt, fallen]).toEqual([at + minuteMs, 12])
    expect((await whatIf(stage, { share: 0.5 })).fullStopAt).toBe(null)
  })
  it('another policy may be asked about', async () => {
    const stage = await fleet(20)
    const policy = { dynamicRegistration: { removeAfterMs: '2m', startUpGraceMs: 0 }, guard: { enabled: false } }
    const { outcome, at } = await whatIf(stage, { share: 0.6 }, { policy })
    expect(outcome.removed.count).toBe(12)
    expect(outcome.removed.items[0]!.at).toBe(at + 3 * minuteMs)
  })
  it('those that are silent already are part of it', async () => {
    const stage = await fleet(20)
    await stage.unavailable('m-5')
    await stage.clock.advance(5 * minuteMs)
    const { outcome, fallen, at } = await whatIf(stage, { machines: ['m-5', 'm-6'] })
    expect(fallen).toBe(1)
    expect(outcome.removed.items).toMatchObject([
      { machineId: 'm-5', at: at + 5 * minuteMs },
      { machineId: 'm-6', at: at + 11 * minuteMs },
    ])
  })
  it('says who is left, by role, and which deployments have them as targets', async () => {
    const stage = await fleet(8)
    stage.play = () => null
    await stage.release('1.0', [{ id: 'install', roles: ['cache'] }])
    const deploymentId = await stage.deploy('1.0')
    const { roles, deployments } = await whatIf(stage, { machines: ['m-0', 'm-1', 'm-3'] })
    expect(roles).toEqual([
      { role: 'cache', answering: 4, remaining: 2 },
      { role: 'web', answering: 8, remaining: 5 },
    ])
    expect(deployments).toEqual({ count: 1, items: [{ deploymentId, machines: 2 }] })
  })
  it.each([
    [{ silent: { machines: ['m-1', 'nobody'] } }, 'MACHINE_UNKNOWN', 'nobody'],
    [{ silent: { domain: { value: 'nowhere' } } }, 'MACHINE_UNKNOWN', 'zone=nowhere'],
    [{ silent: {} }, 'REQUEST_INVALID', 'in one way'],
    [{ silent: { share: 0.1, machines: ['m-1'] } }, 'REQUEST_INVALID', 'in one way'],
    [{ silent: { share: 0.1 }, horizonMs: '31d' }, 'REQUEST_INVALID', 'horizonMs'],
    [{ silent: { share: 0.1 }, environmentId: 'nowhere' }, 'ENVIRONMENT_UNKNOWN', 'nowhere'],
  ])('refuses %o', async (question, refused, detail) => {
    const stage = await fleet(3)
    const answer = await stage.ask('policy', 'WhatIf', { environmentId, ...question })
    expect(answer).toMatchObject({ refused, detail: expect.stringContaining(detail) })
  })
  it('a domain is to be named where the guard goes by none', async () => {
    const stage = await fleet(3, { ...quick, guard: { failureDomain: null } })
    expect(await stage.ask('policy', 'WhatIf', { environmentId, silent: { domain: { value: 'a' } } })).toMatchObject({
      refused: 'REQUEST_INVALID',
      detail: expect.stringContaining('attribute'),
    })
    expect((await whatIf(stage, { domain: { attribute: 'zone', value: 'a' } })).fallen).toBe(3)
  })
})

describe('why a machine would be removed, or not,', () => {
  it('is told clause by clause', async () => {
    const stage = await fleet(10)
    expect(await explain(stage, 'm-1')).toMatchObject({ removable: false, rule: null, silence: null, policyVersion: 1 })
    await stage.unavailable('m-1')
    await stage.clock.advance(4 * minuteMs)
    const { removable, clauses, silence, guard } = await explain(stage, 'm-1')
    const wallMs = stage.clock.wallMs()
    expect(removable).toBe(false)
    expect(silence).toEqual({ sinceAt: wallMs - 4 * minuteMs, goneMs: 4 * minuteMs, observedMs: 4 * minuteMs })
    expect(clauses.filter(({ holds }) => !holds)).toMatchObject([
      { clause: 'observed-long-enough', clearsAt: wallMs + 6 * minuteMs },
    ])
    expect(guard).toMatchObject([{ domain: null, tripped: false, unavailable: 1, registered: 10, allowance: null }])
  })
  it('agrees with what is done', async () => {
    const stage = await fleet(10)
    for (const id of ['m-0', 'm-1', 'm-2']) await stage.unavailable(id)
    await stage.clock.advance(11 * minuteMs)
    const held = new Set(
      (await stage.of('RemovalWithheld')).map(({ data }) => (data as { machineId: string }).machineId),
    )
    expect(held.size).toBeGreaterThan(0)
    for (const machineId of held)
      expect((await explain(stage, machineId)).clauses.filter(({ holds }) => !holds)).toMatchObject([
        { clause: 'guard' },
      ])
  })
  it('is told of a failure domain as well, and of nobody who is not there', async () => {
    const stage = await fleet(20)
    for (const id of ['m-0', 'm-1', 'm-2']) await stage.unavailable(id)
    const { guard } = await explain(stage, 'm-1')
    expect(guard).toMatchObject([{ domain: null }, { domain: { attribute: 'zone', value: 'a' }, isFullStop: true }])
    expect(await stage.ask('policy', 'ExplainRemoval', { machineId: 'nobody' })).toMatchObject({
      refused: 'MACHINE_UNKNOWN',
    })
  })
})

describe('asking for a backtest', () => {
  it.each([
    [{ environmentId: 'nowhere' }, 'ENVIRONMENT_UNKNOWN', 'nowhere'],
    [{ fromAt: 10, toAt: 10 }, 'REQUEST_INVALID', 'before toAt'],
    [{ fromAt: Date.UTC(2300, 0), toAt: Date.UTC(2301, 0) }, 'REQUEST_INVALID', 'in the past'],
    [{ fromAt: 0 }, 'BACKTEST_TOO_LARGE', 'at most'],
    [{ policy: { guard: { shares: 1 } } }, 'REQUEST_INVALID', 'shares'],
  ])('with %o is refused', async (changes, refused, detail) => {
    const stage = await fleet(1)
    const question = { environmentId, fromAt: stage.clock.wallMs() - minuteMs, policy: null, ...changes }
    expect(await stage.ask('policy', 'BacktestPolicy', question)).toMatchObject({
      refused,
      detail: expect.stringContaining(detail),
    })
  })
  it('while another one runs is refused, but the same question is the same one', async () => {
    let isHeld = false
    const reading = Promise.withResolvers<void>()
    const stage = await policyStage(quick, (inner) =>
      watchedStore(inner, {
        async readAll(...page) {
          if (isHeld) await reading.promise
          return inner.readAll(...page)
        },
      }),
    )
    await stage.machine('m-1')
    await stage.clock.advance(minuteMs)
    const question = { environmentId, fromAt: stage.clock.wallMs() - minuteMs, policy: null }
    isHeld = true
    const ask = (commandId: string) =>
      stage.platform.ask('policy', { type: 'BacktestPolicy', data: question }, stage.cause(commandId))
    const [first, again] = [ask('c-one'), ask('c-one')]
    expect(await ask('c-two')).toMatchObject({ refused: 'BACKTEST_BUSY' })
    isHeld = false
    reading.resolve()
    expect(await first).toMatchObject({ accepted: true })
    expect(await again).toEqual(await first)
    expect(await ask('c-three')).toMatchObject({ accepted: true })
  })
  it('keeps to limits that are set', async () => {
    const stage = await fleet(3)
    await stage.policy[Symbol.asyncDispose]()
    stage.use(await startPolicy(stage.platform, { backtest: { eventsMax: 2, pageEventsMax: 2 } }))
    await stage.clock.advance(minuteMs)
    const question = { environmentId, fromAt: stage.clock.wallMs() - minuteMs, policy: null }
    expect(await stage.ask('policy', 'BacktestPolicy', question)).toMatchObject({ refused: 'BACKTEST_TOO_LARGE' })
  })
  it('is told to ask again when policy stops meanwhile', async () => {
    const stage = await fleet(3)
    await stage.policy[Symbol.asyncDispose]()
    // Whoever has a turn in between takes a second for it.
    const busy: Clock = Object.assign(Object.create(stage.clock) as Clock, { sleep: () => stage.clock.sleep(1_000) })
    const policy = await startPolicy({ ...stage.platform, clock: busy }, { backtest: { sliceMs: 0 } })
    await stage.clock.advance(minuteMs)
    const question = { environmentId, fromAt: stage.clock.wallMs() - minuteMs, policy: null }
    const asked = stage.ask('policy', 'BacktestPolicy', question)
    const closed = policy[Symbol.asyncDispose]()
    await stage.clock.advance(20_000)
    await closed
    expect(await asked).toMatchObject({ refused: 'SERVICE_UNAVAILABLE' })
  })
})
