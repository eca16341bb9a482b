import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { PolicyEvent } from '#contracts/policy.ts'
import type { Recorded } from '#contracts/message.ts'
import { machineStream } from '#contracts/subjects.ts'
import { failure, success } from '../deployment/deploying.ts'
import { policyStage, type PolicyStage } from './policing.ts'

const machines = ['m-0', 'm-1', 'm-2', 'm-3', 'm-4']
const triesMax = 2
const settings = {
  automaticDeployments: {
    ...{ quietMs: 500, waitMaxMs: 2_000, machinesMax: 3, triesMax },
    ...{ backoffMinMs: 1_000, backoffMaxMs: 4_000, breakerMachines: 4, breakerWindowMs: 60_000 },
  },
  dynamicRegistration: { enabled: false },
  deployments: { contactBudgetMs: 3_000, taskLeaseMs: 5_000 },
}

type Action =
  | { readonly do: 'come' | 'blink' | 'switch' | 'leave' | 'curse'; readonly machine: string }
  | { readonly do: 'deploy' | 'wait' | 'restart' }

const machine = fc.constantFrom(...machines)
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('come' as const), machine }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('blink' as const), machine }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('switch' as const), machine }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), machine }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('curse' as const), machine }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deploy' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
)

/** What a test knows of the fleet, whoever else knows it. */
class Fleet {
  readonly registered = new Set<string>()
  readonly healthy = new Set<string>()
  readonly disabled = new Set<string>()
  /** Machines on which everything fails. */
  readonly cursed = new Set<string>()
  versions = 0
  readonly stage: PolicyStage

  constructor(stage: PolicyStage) {
    this.stage = stage
    stage.taskMs = 300
    stage.play = ({ machineId }) => {
      if (!this.healthy.has(machineId)) return null
      return this.cursed.has(machineId) ? failure : success
    }
  }

  async act(action: Action): Promise<void> {
    const { stage } = this
    switch (action.do) {
      case 'come':
        await stage.registered(action.machine)
        this.registered.add(action.machine)
        this.healthy.add(action.machine)
        if (!this.disabled.has(action.machine)) await stage.healthy(action.machine)
        return
      case 'blink':
        return this.blink(action.machine)
      case 'switch':
        return this.switch(action.machine)
      case 'leave':
        if (this.registered.delete(action.machine)) await stage.deregistered(action.machine)
        return
      case 'curse':
        if (!this.cursed.delete(action.machine)) this.cursed.add(action.machine)
        return
      case 'deploy':
        await stage.release(String((this.versions += 1)), [{ id: 'install', onFailure: 'exclude' }])
        await stage.deploy(String(this.versions), { allowNoTargets: true })
        return
      case 'wait':
        return stage.clock.advance(700)
      case 'restart': {
        const closed = stage.policy[Symbol.asyncDispose]()
        await stage.clock.advance(6_000)
        await closed
        return stage.beginPolicy()
      }
    }
  }

  async blink(machineId: string): Promise<void> {
    if (!this.registered.has(machineId)) return
    const isHealthy = !this.healthy.delete(machineId)
    if (isHealthy) this.healthy.add(machineId)
    if (this.disabled.has(machineId)) return
    await (isHealthy ? this.stage.healthy(machineId) : this.stage.unavailable(machineId))
  }

  async switch(machineId: string): Promise<void> {
    if (!this.registered.has(machineId)) return
    const isDisabled = this.disabled.delete(machineId)
    if (!isDisabled) this.disabled.add(machineId)
    const fact = isDisabled
      ? { type: 'MachineEnabled', data: { machineId } }
      : { type: 'MachineDisabled', data: { machineId, reason: 'x' } }
    await this.stage.happened(machineStream(machineId), fact)
    // Health forgets whom it does not watch, and hears those again that it watches.
    if (!isDisabled) await this.stage.forgotten(machineId)
    else if (this.healthy.has(machineId)) await this.stage.healthy(machineId)
    else await this.stage.unavailable(machineId)
  }
}

const releasesOf = (events: readonly Recorded[]) =>
  new Map(
    events.flatMap((event) => {
      const { deploymentId, kind, version } = event.data as { deploymentId: string; kind: string; version: string }
      return event.type === 'DeploymentCreated' ? [[deploymentId, { kind, version }] as const] : []
    }),
  )

interface Installation {
  readonly machineId: string
  readonly version: string
  readonly kind: string
}

/** What was installed where, in order. */
function installations(events: readonly Recorded[]): readonly Installation[] {
  const releases = releasesOf(events)
  return events.flatMap(({ type, data }) => {
    const { deploymentId, outcomes = [] } = data as {
      deploymentId: string
      outcomes?: readonly { machineId: string; outcome: string }[]
    }
    if (!type.startsWith('Deployment')) return []
    const release = releases.get(deploymentId)!
    return outcomes.filter(({ outcome }) => outcome === 'succeeded').map(({ machineId }) => ({ machineId, ...release }))
  })
}

/** Laws that hold at every moment; what breaks them is named. */
function lawsBroken(events: readonly Recorded[]): readonly string[] {
  const broken: string[] = []
  const underWay = new Map<string, string>()
  const failures = new Map<string, number>()
  for (const event of events as readonly Recorded<PolicyEvent>[]) {
    if (event.type === 'AutomaticDeploymentRequested')
      for (const machineId of event.data.machineIds) {
        if (underWay.has(machineId)) broken.push(`${machineId} has two automatic deployments at once`)
        underWay.set(machineId, event.data.deploymentId)
      }
    if (event.type === 'AutomaticDeploymentSettled') {
      for (const [machineId, id] of underWay) if (id === event.data.deploymentId) underWay.delete(machineId)
      for (const machineId of event.data.failed) {
        const key = `${machineId}@${event.data.version}`
        failures.set(key, (failures.get(key) ?? 0) + 1)
        if (failures.get(key)! > triesMax) broken.push(`${key} was tried too often`)
      }
    }
  }
  const has = new Map<string, number>()
  for (const { machineId, version, kind } of installations(events)) {
    const before = has.get(machineId) ?? 0
    if (kind === 'automatic' && Number(version) < before) broken.push(`${machineId} went from ${before} to ${version}`)
    has.set(machineId, Number(version))
  }
  return broken
}

/** The machines that should have the release that last succeeded, and neither have it nor a verdict that says why not. */
function notConverged(events: readonly Recorded[], fleet: Fleet): readonly string[] {
  const releases = releasesOf(events)
  const succeeded = events.filter(
    ({ type, data }) =>
      type === 'DeploymentSucceeded' &&
      releases.get((data as { deploymentId: string }).deploymentId)?.kind === 'release',
  )
  const last = succeeded.at(-1)
  if (last === undefined) return []
  const { version } = releases.get((last.data as { deploymentId: string }).deploymentId)!
  const has = new Map(installations(events).map((one) => [one.machineId, one.version]))
  const verdicts = new Set(
    (events as readonly Recorded<PolicyEvent>[]).flatMap(({ type, data }) =>
      type === 'AutomaticDeploymentSkipped' && data.version === version ? [data.machineId] : [],
    ),
  )
  return [...fleet.registered].filter(
    (id) => fleet.healthy.has(id) && !fleet.disabled.has(id) && has.get(id) !== version && !verdicts.has(id),
  )
}

it('every machine gets what it should have, or a reason, whatever happens in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 4, maxLength: 25 }), async (actions) => {
      const stage = await policyStage(settings)
      const fleet = new Fleet(stage)
      for (const one of actions) await fleet.act(one)
      expect(lawsBroken(await stage.events())).toEqual([])
      await stage.clock.advance(60_000)
      const events = await stage.events()
      expect(lawsBroken(events)).toEqual([])
      expect(notConverged(events, fleet)).toEqual([])
      const { length } = events
      await stage.clock.advance(20_000)
      expect((await stage.events()).length).toBe(length)
      await stage.close()
    }),
    { numRuns: Number(process.env['RUNS'] ?? 60), seed: Number(process.env['SEED'] ?? 20_261_123) },
  )
}, 60_000)
