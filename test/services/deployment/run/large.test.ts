import { describe, expect, it } from 'vitest'
import { deploymentStream, healthStream, machineStream } from '#contracts/subjects.ts'
import { storeLimits } from '#libs/store/limits.ts'
import { factsPerDecisionMax } from '#services/deployment/run/decider.ts'
import { DeploymentStage, success } from '../deploying.ts'

const machinesMax = 5_000
/** Time for all that is there to be read, and much less than the service waits until it looks at everything by itself. */
const momentMs = 10
const names = Array.from({ length: machinesMax }, (_, number) => `m-${String(number).padStart(4, '0')}`)

/** The fleet's past, as it is read when the service starts. */
async function populate({ store, cause, clock }: DeploymentStage) {
  const evidence = { kind: 'heartbeat', lastHeardAt: null, silentMs: 0, thresholdMs: null, observerId: 'health' }
  const rest = { publicKey: 'k'.repeat(43), enrollmentId: null, returnedFrom: null, facts: null, attributes: {} }
  for (const machineId of names) {
    const who = { machineId, name: machineId, environmentId: 'production', roles: ['web'] }
    await store.append(machineStream(machineId), 0, [{ type: 'MachineRegistered', data: { ...who, ...rest } }], cause())
    const data = { machineId, at: clock.steadyMs(), evidence, previous: 'unknown' }
    await store.append(healthStream(machineId), 0, [{ type: 'MachineBecameHealthy', data }], cause())
  }
}

async function deployToAll(play: DeploymentStage['play']) {
  const stage = new DeploymentStage()
  stage.cause = stage.cause.bind(stage)
  stage.play = play
  stage.actors()
  await stage.environment()
  await populate(stage)
  await Promise.all([stage.begin(), stage.clock.advance(momentMs)])
  await stage.release('1.0', [{ id: 'copy' }])
  const deploymentId = await stage.deploy('1.0')
  await stage.clock.advance(momentMs)
  const facts = async () => (await stage.store.read(deploymentStream(deploymentId))).events
  const count = async (type: string) => (await facts()).filter((fact) => fact.type === type).length
  return { stage, deploymentId, facts, count }
}

// Seconds of work, which take longer where others work as well.
describe(`a deployment to ${machinesMax} machines`, { timeout: 60_000 }, () => {
  it('is handed out in parts, one right after the other, and taken back as a whole', async () => {
    const { stage, deploymentId, facts, count } = await deployToAll(() => null)
    expect(await count('TaskDispatched')).toBe(machinesMax)
    const perDecision = Map.groupBy(await facts(), ({ meta }) => meta.commandId)
    expect(perDecision.size).toBe(Math.ceil((await facts()).length / factsPerDecisionMax))
    expect(Math.max(...[...perDecision.values()].map(({ length }) => length))).toBe(factsPerDecisionMax)
    expect(factsPerDecisionMax).toBeLessThan(storeLimits.factsPerAppendMax)

    await stage.ask('deployment', 'CancelDeployment', { deploymentId, reason: 'wrong version' })
    await stage.clock.advance(200)
    expect(await count('TaskCancelRequested')).toBe(machinesMax)
    await stage.clock.advance(61_000)
    expect(await count('TaskLost')).toBe(machinesMax)
    expect(await count('DeploymentCancelled')).toBe(1)
  })

  it('reaches all of them and ends', async () => {
    const { stage, facts, count } = await deployToAll(() => success)
    await stage.clock.advance(1_000)
    expect(await count('TaskSucceeded')).toBe(machinesMax)
    const { type, data } = (await facts()).at(-1)!
    expect(type).toBe('DeploymentSucceeded')
    const { outcomes } = data as { outcomes: readonly { machineId: string; outcome: string }[] }
    expect(outcomes.map(({ machineId }) => machineId).toSorted()).toEqual(names)
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['succeeded']))
  })
})
