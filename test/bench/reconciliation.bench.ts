import type { Recorded } from '#contracts/message.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { replay } from '#libs/decider.ts'
import { policy } from '#services/policy/decider.ts'
import { Known } from '#services/policy/known.ts'
import { isNews } from '#services/policy/news.ts'
import { compare, perSecond, scaled } from './harness.ts'

const environmentId = 'production'
const few = scaled(1_000, 200)
const many = scaled(100_000, 2_000)
const changes = scaled(20_000, 200)
const silent = 5
const deploymentId = '00000000-0000-4000-8000-000000000001'

/** A fleet where all is well but for a few machines, and every machine has the release that it should have. */
function fleet(machines: number): Known {
  const known = new Known()
  const happened = telling(known)
  const settled = { environmentId, name: environmentId, policy: EnvironmentPolicy.parse({}), policyVersion: 1 }
  happened('EnvironmentCreated', settled)
  for (let machine = 0; machine < machines; machine++) {
    const who = { machineId: `m-${machine}`, name: `m-${machine}`, environmentId, roles: ['web'] }
    const attributes = { zone: `z-${machine % 3}` }
    happened('MachineRegistered', { ...who, attributes, facts: null, publicKey: null, enrollmentId: null })
    happened('MachineBecameHealthy', { machineId: who.machineId, at: 1, previous: 'unknown' })
  }
  const release = { projectId: 'shop', version: '1.0' }
  happened('ProjectCreated', { projectId: 'shop', name: 'shop' })
  const steps = [{ id: 'install', kind: 'script', on: 'targets' }]
  happened('ReleaseCreated', { ...release, targetRoles: ['web'], process: { steps } })
  const deployment = { ...release, deploymentId, environmentId, kind: 'release', machineIds: null }
  happened('DeploymentCreated', deployment)
  const outcomes = Array.from({ length: machines }, (_, machine) => ({
    machineId: `m-${machine}`,
    outcome: 'succeeded',
  }))
  happened('DeploymentSucceeded', { deploymentId, outcomes })
  for (let machine = 0; machine < silent; machine++)
    happened('MachineBecameUnavailable', { machineId: `m-${machine}`, at: 2, previous: 'healthy' })
  return known
}

function telling(known: Known) {
  let position = 0
  return (type: string, data: object): void => {
    position += 1
    const event = { type, data, meta: { position } } as unknown as Recorded
    if (!isNews(event)) throw new Error(`policy takes no ${type}`)
    known.apply(event)
  }
}

/** One machine falls silent, and is heard again: each time policy looks at the environment. */
function changing(machines: number): () => Promise<number> {
  const known = fleet(machines)
  const happened = telling(known)
  const state = replay(policy, [])
  const look = () => {
    const moment = { nowMs: 60_000, wallMs: 60_000 }
    const names = { decisionId: 'd', idOf: () => deploymentId }
    const decision = policy.decide({ type: 'Evaluate', environmentId, world: known.world, ...moment, ...names }, state)
    if ('refused' in decision || decision.length > 0) throw new Error('all was well, and still something was decided')
  }
  return () =>
    perSecond(2 * changes, () => {
      for (let change = 0; change < changes; change++) {
        const machineId = `m-${silent + (change % (machines - silent))}`
        happened('MachineBecameUnavailable', { machineId, at: 50_000, previous: 'healthy' })
        look()
        happened('MachineBecameHealthy', { machineId, at: 50_000, previous: 'unavailable' })
        look()
      }
    })
}

const name = (machines: number) => `${machines.toLocaleString('en')} machines`
await compare({
  title: 'P8 one change is taken in and reconciled',
  unit: 'changes/s',
  candidates: { [name(few)]: changing(few), [name(many)]: changing(many) },
  // What is left of the growth is the processor's cache, which holds a small fleet and not a large one.
  targets: [{ of: name(few), against: name(many), atMost: 1.5 }],
})
