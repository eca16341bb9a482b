import { describe, expect, it } from 'vitest'
import { machineStream } from '#contracts/subjects.ts'
import { policyStage, type PolicyStage } from './policing.ts'

const environmentId = 'production'
const minuteMs = 60_000

/** Two machines of ten that stay away, until shortly before their removal is due. */
async function twoAway(): Promise<PolicyStage> {
  const stage = await policyStage()
  for (let n = 0; n < 10; n++) await stage.machine(`m-${n}`)
  for (const id of ['m-0', 'm-1']) await stage.unavailable(id)
  await stage.clock.advance(9 * minuteMs)
  return stage
}
const decisionOf = async (stage: PolicyStage, index = 0): Promise<string> =>
  ((await stage.of('RemovalRequested'))[index]!.data as { decisionId: string }).decisionId
const revert = (stage: PolicyStage, decisionId: string, reason = 'it was the network') =>
  stage.ask('policy', 'RevertDecision', { environmentId, decisionId, reason })
const restored = async (stage: PolicyStage) =>
  (await stage.of('MachineRestored')).map(({ data }) => (data as { machineId: string }).machineId)

describe('a decision that a person takes back', () => {
  it('brings back every machine that it removed, with the reason, once', async () => {
    const stage = await twoAway()
    await stage.clock.advance(2 * minuteMs)
    expect(await stage.of('MachineDeregistered')).toHaveLength(2)
    const decisionId = await decisionOf(stage)
    expect(await revert(stage, decisionId)).toMatchObject({ result: { machineIds: ['m-0', 'm-1'] } })
    await stage.clock.advance(1_000)
    expect(await restored(stage)).toEqual(['m-0', 'm-1'])
    const [back] = await stage.of('MachineRestored')
    expect(back!.data).toMatchObject({ reason: 'the decision to remove it was taken back: it was the network' })
    expect(await revert(stage, decisionId, 'again')).toMatchObject({ result: { machineIds: [] } })
    await stage.clock.advance(minuteMs)
    expect(await restored(stage)).toHaveLength(2)
  })
  it('is refused when nobody decided it', async () => {
    const stage = await twoAway()
    expect(await revert(stage, 'never')).toMatchObject({ refused: 'DECISION_UNKNOWN' })
  })
  it('is not carried out any further when it was still on its way', async () => {
    const stage = await twoAway()
    // The person is quicker than the answer of health.
    stage.silent = () => {
      void decisionOf(stage).then((decisionId) => revert(stage, decisionId))
      return true
    }
    await stage.clock.advance(2 * minuteMs)
    expect(await stage.of('DecisionReverted')).toHaveLength(1)
    expect(await stage.of('MachineDeregistered')).toEqual([])
    expect(await restored(stage)).toEqual([])
  })
  it('lets the machines be for as long as the policy waits', async () => {
    const stage = await twoAway()
    stage.silent = () => false
    await stage.clock.advance(70_000)
    await revert(stage, await decisionOf(stage))
    stage.silent = () => true
    const before = (await stage.of('RemovalRequested')).length
    await stage.clock.advance(9 * minuteMs)
    expect(await stage.of('RemovalRequested')).toHaveLength(before)
    await stage.clock.advance(2 * minuteMs)
    expect(await stage.of('MachineDeregistered')).toHaveLength(2)
  })
  it('also brings back a machine that is removed in spite of it, in a race', async () => {
    const stage = await twoAway()
    // The registry has the command already, and takes its time.
    stage.beforeRemoval = () => stage.clock.sleep(2_000)
    await stage.clock.advance(minuteMs + 500)
    expect(await stage.of('RemovalRequested')).toHaveLength(2)
    expect(await stage.of('MachineDeregistered')).toEqual([])
    await revert(stage, await decisionOf(stage))
    await stage.clock.advance(10_000)
    const order = (await stage.events())
      .filter(({ type }) => ['DecisionReverted', 'MachineDeregistered', 'MachineRestored'].includes(type))
      .map(({ type }) => type)
    expect(order[0]).toBe('DecisionReverted')
    expect(order.filter((type) => type === 'MachineDeregistered').length).toBeGreaterThan(0)
    expect((await restored(stage)).length).toBe(order.filter((type) => type === 'MachineDeregistered').length)
    for (const id of ['m-0', 'm-1'])
      expect((await stage.types(machineStream(id))).at(-1)).not.toBe('MachineDeregistered')
  })
  it('leaves alone what a person has removed since', async () => {
    const stage = await twoAway()
    await stage.clock.advance(2 * minuteMs)
    const decisionId = await decisionOf(stage)
    await stage.machine('m-0')
    await stage.deregistered('m-0')
    await revert(stage, decisionId)
    await stage.clock.advance(1_000)
    expect(await restored(stage)).toEqual(['m-1'])
  })
  it('is undone after a restart as well', async () => {
    const stage = await twoAway()
    await stage.clock.advance(2 * minuteMs)
    const decisionId = await decisionOf(stage)
    const closed = stage.policy[Symbol.asyncDispose]()
    await stage.clock.advance(10_000)
    await closed
    await stage.beginPolicy()
    await revert(stage, decisionId)
    await stage.clock.advance(1_000)
    expect(await restored(stage)).toEqual(['m-0', 'm-1'])
  })
})
