import { describe, expect, it } from 'vitest'
import { environmentStream, healthStream, policyStream } from '#contracts/subjects.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { Settings } from '#test/services/deployment/stage.ts'
import { policyStage, quick, type PolicyStage } from './policing.ts'

const environmentId = 'production'
const minuteMs = 60_000

async function stageWith(dynamicRegistration: Settings['dynamicRegistration'], machines = 10): Promise<PolicyStage> {
  const stage = await policyStage({
    ...quick,
    dynamicRegistration: { ...quick.dynamicRegistration, ...dynamicRegistration },
  })
  for (let n = 0; n < machines; n++) await stage.machine(`m-${n}`)
  return stage
}
const answered = (stage: PolicyStage, machineId: string, state: string) =>
  stage.happened(policyStream(environmentId), {
    type: 'ProviderAnswered',
    data: { environmentId, provider: 'cloud', machines: [{ machineId, state }], at: stage.clock.steadyMs() },
  })
const late = (stage: PolicyStage, machineId: string) => {
  const at = stage.clock.steadyMs()
  const evidence = {
    ...{ kind: 'heartbeat-late', lastHeardAt: at, silentMs: 30_000, thresholdMs: 30_000, observerId: 'health.1' },
  }
  const data = { machineId, at, check: 'heartbeat', evidence }
  return stage.happened(healthStream(machineId), { type: 'HealthCheckFailed', data })
}
const clauses = async (stage: PolicyStage) =>
  (await stage.of('RemovalDeferred')).map(({ data }) => (data as { clause: string }).clause)

describe('a machine that the provider says is terminated', () => {
  it('is removed as soon as it is late, and the reason says so', async () => {
    const stage = await stageWith({ provider: 'cloud' })
    await answered(stage, 'm-0', 'terminated')
    await late(stage, 'm-0')
    await stage.clock.advance(2_000)
    expect(await stage.of('MachineDeregistered')).toMatchObject([
      {
        data: {
          machineId: 'm-0',
          cause: { kind: 'policy', reason: 'it does not answer, and cloud says that it is terminated' },
          evidence: { rule: 'terminated' },
        },
      },
    ])
  })
  it('stays when health still hears it, is not decided about again and again, and the conflict is visible', async () => {
    const stage = await stageWith({ provider: 'cloud' })
    stage.silent = () => false
    await answered(stage, 'm-0', 'terminated')
    await late(stage, 'm-0')
    await stage.clock.advance(30 * minuteMs)
    expect(await stage.of('RemovalRequested')).toHaveLength(1)
    expect(await stage.of('RemovalAbandoned')).toHaveLength(1)
    expect(await clauses(stage)).toEqual(['still-answers'])
    expect(await stage.of('MachineDeregistered')).toEqual([])
  })
})

describe('a removal that waits', () => {
  it('for a provider that says running goes on when it says otherwise', async () => {
    const stage = await stageWith({ provider: 'cloud' })
    await answered(stage, 'm-0', 'running')
    await stage.unavailable('m-0')
    await stage.clock.advance(60 * minuteMs)
    expect(await clauses(stage)).toEqual(['running-at-provider'])
    expect(await stage.of('MachineDeregistered')).toEqual([])
    await answered(stage, 'm-0', 'unknown')
    await stage.clock.advance(2_000)
    expect(await stage.of('MachineDeregistered')).toHaveLength(1)
  })
  it('for the start-up grace goes on after it, as before a restart', async () => {
    const stage = await stageWith({ startUpGraceMs: 30 * minuteMs })
    await stage.unavailable('m-0')
    await stage.clock.advance(15 * minuteMs)
    expect(await clauses(stage)).toEqual(['start-up'])
    const closed = stage.policy[Symbol.asyncDispose]()
    await stage.clock.advance(10_000)
    await closed
    await stage.beginPolicy()
    await stage.clock.advance(14 * minuteMs)
    expect([await clauses(stage), await stage.of('MachineDeregistered')]).toEqual([['start-up'], []])
    await stage.clock.advance(minuteMs)
    expect(await stage.of('MachineDeregistered')).toHaveLength(1)
  })
  it('for a label is over when the policy protects it no more', async () => {
    const stage = await stageWith({ protectedLabels: ['web'] })
    await stage.unavailable('m-0')
    await stage.clock.advance(60 * minuteMs)
    expect(await clauses(stage)).toEqual(['protected'])
    const policy = EnvironmentPolicy.parse(quick)
    await stage.happened(environmentStream(environmentId), {
      type: 'EnvironmentPolicyChanged',
      data: { environmentId, policy, policyVersion: 2 },
    })
    await stage.clock.advance(2_000)
    expect(await stage.of('MachineDeregistered')).toHaveLength(1)
  })
})

describe('removals that are decided when a mass failure begins', () => {
  it('are stopped, held and told as one incident, and go on when it is over', async () => {
    const stage = await stageWith({})
    await stage.unavailable('m-0')
    // While health is asked about the one, three others fall silent.
    let asked = 0
    stage.silent = async () => {
      asked += 1
      if (asked === 1) for (const id of ['m-1', 'm-2', 'm-3']) void stage.unavailable(id)
      await stage.clock.sleep(500)
      return true
    }
    await stage.clock.advance(10 * minuteMs + 2_000)
    expect(await stage.of('RemovalRequested')).toHaveLength(1)
    expect(await stage.of('MachineDeregistered')).toEqual([])
    const told = await stage.of('MassFailureDetected', 'RemovalAbandoned', 'RemovalWithheld')
    expect(told.map(({ type }) => type)).toEqual(['MassFailureDetected', 'RemovalAbandoned', 'RemovalWithheld'])
    for (const id of ['m-1', 'm-2', 'm-3']) await stage.healthy(id)
    await stage.clock.advance(minuteMs)
    expect(await stage.of('MassFailureCleared')).toMatchObject([{ data: { by: 'recovery' } }])
    await stage.clock.advance(10 * minuteMs)
    expect(await stage.of('MachineDeregistered')).toMatchObject([{ data: { machineId: 'm-0' } }])
  })
})
