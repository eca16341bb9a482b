import type { DeploymentEvent } from '#contracts/deployment.ts'
import { categoryOf } from '#contracts/subjects.ts'
import { run } from '#services/deployment/run/decider.ts'
import { noRun } from '#services/deployment/run/noRun.ts'
import { mayReturn, type Run } from '#services/deployment/run/state.ts'
import type { World } from '#services/deployment/run/world.ts'
import { lawsBroken } from '#test/services/deployment/run/walk/factLaws.ts'
import { reactTo, type AnyEvent, type EventOf, type Reactions } from '../events.ts'
import type { Breach } from './rule.ts'

/** Of the laws of single facts, those that the history of the run alone decides, whatever the server had heard by then. */
const judged: ReadonlySet<DeploymentEvent['type']> = new Set([
  ...(['TaskDispatched', 'TargetMarkedDirty', 'TargetCleaned', 'DecisionRequested', 'DecisionMade'] as const),
  ...(['DeploymentSucceeded', 'DeploymentFailed', 'DeploymentCancelled', 'StepFailed', 'StepSkipped'] as const),
])
const aboutOthers: ReadonlySet<string> = new Set([
  'work goes to machines that answer',
  'work goes to machines that are enabled',
  'work on targets goes to targets, other work to workers',
  'the minimum stays healthy',
])
/** An automatic deployment brings up single machines and knows no canary. */
const ofReleases = 'the others are held back'
const nobody: Partial<World> = { machine: () => undefined, isFree: () => true }

/** R5 and R6 in each deployment: windows, budgets, what was left out, and what is held back by a task given up. */
export class RunRules {
  readonly #runs = new Map<string, Run>()
  readonly #dirty = new Map<string, string>()

  readonly #free = ({ data }: EventOf<'MachineEnabled' | 'MachineRegistered'>) => {
    this.#dirty.delete(data.machineId)
    return null
  }

  readonly #reactions: Reactions<Breach | null> = {
    MachineEnabled: this.#free,
    MachineRegistered: this.#free,
    TargetMarkedDirty: ({ data }) => {
      this.#dirty.set(data.machineId, data.taskId)
      return null
    },
    TargetCleaned: ({ data }) => {
      if (this.#dirty.get(data.machineId) === data.taskId) this.#dirty.delete(data.machineId)
      return null
    },
    TaskDispatched: ({ data: { machineId, taskId } }) => {
      const abandoned = this.#dirty.get(machineId)
      if (abandoned === undefined) return null
      return { rule: 'R5', ids: [machineId, taskId, abandoned], detail: 'work beside a task that was given up' }
    },
    TargetsReevaluated: ({ data: { deploymentId, added } }) => {
      const { targets } = this.#runs.get(deploymentId) ?? noRun
      const back = added.filter(({ machineId }) => !mayReturn(targets.get(machineId)))
      if (back.length === 0) return null
      const ids = [deploymentId, ...back.map(({ machineId }) => machineId)]
      return { rule: 'R6', ids, detail: 'who was left out for good is a target again' }
    },
  }

  check(event: AnyEvent): Breach | null {
    const breach = reactTo(this.#reactions, event) ?? null
    return isOfRun(event) ? (breach ?? this.#checkRun(event)) : breach
  }

  #checkRun(fact: DeploymentEvent): Breach | null {
    const { deploymentId } = fact.data
    const before = this.#runs.get(deploymentId) ?? noRun
    const atMs = fact.type === 'TaskDispatched' ? fact.data.dispatchedAt : before.startedAt
    const broken = judged.has(fact.type) ? lawsBroken(before, fact, nobody as World, atMs) : []
    const ignored = before.created?.kind === 'automatic' ? new Set([...aboutOthers, ofReleases]) : aboutOthers
    const [law] = broken.filter((one) => !ignored.has(one))
    const after = run.evolve(before, fact)
    this.#runs.set(deploymentId, after)
    if (law === undefined) return null
    return { rule: fact.type.startsWith('Task') ? 'R5' : 'R6', ids: [deploymentId], detail: `${fact.type}: ${law}` }
  }
}

const isOfRun = (event: AnyEvent): event is EventOf<DeploymentEvent['type']> =>
  categoryOf(event.meta.stream) === 'deployment'
