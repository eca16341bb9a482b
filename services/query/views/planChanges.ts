import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Recorded } from '#contracts/message.ts'
import type { Step } from '#contracts/process.ts'
import type { Window } from '#contracts/steps/common.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'

const observes = [
  'DeploymentCreated',
  'TargetsEvaluated',
  'TargetExcluded',
  'TargetsReevaluated',
  'TargetsRevalidated',
  'TargetIncluded',
  'StepSkipped',
  'StepStarted',
] as const
export type PlanFact = Extract<DeploymentEvent, { type: (typeof observes)[number] }>

export interface PlannedStep {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly group: number
  /** The roles of the targets that it is for, all of them where none is named; null where it runs elsewhere. */
  readonly roles: readonly string[] | null
  readonly canary: Window | null
}

export interface Moved {
  readonly machineId: string
  readonly name: string
  readonly reason: string | null
}

interface Added extends Moved {
  readonly roles: readonly string[]
  /** What it makes up for, where that is not the same for all that came. */
  readonly catchUp?: readonly string[]
}

/** What a fact says of the plan. That a step starts says which machines it is for, and changes nothing. */
export interface KeptPlanChange {
  readonly deploymentId: string
  readonly position: number
  readonly at: string
  readonly actor: string
  readonly type: PlanFact['type']
  readonly stepId: string | null
  readonly detail: string
  readonly added: readonly Added[]
  readonly excluded: readonly Moved[]
  readonly steps: readonly PlannedStep[]
  readonly machineIds: readonly string[]
  readonly catchUp: readonly string[]
}

const positionDigits = 15

/** The changes of plans one by one, since each is small and a plan may change as often as it has machines. */
export const planChanges: View<KeptPlanChange, PlanFact> = {
  name: 'plan-changes.v2',
  observes,
  keysOf: ({ data, meta }) => [`${data.deploymentId}/${String(meta.position).padStart(positionDigits, '0')}`],
  columns: {
    deploymentId: (row) => row.deploymentId,
    at: (row) => row.position,
    /** Whether it makes a new version. */
    makes: (row) => (row.type === 'StepStarted' ? 0 : 1),
  },
  indexes: [['deploymentId', 'at']],
  project: (row, fact) => row ?? changeOf(fact),
}

function changeOf(fact: Recorded<PlanFact>): KeptPlanChange {
  const { data, meta, type } = fact
  const stepId = 'stepId' in data ? data.stepId : null
  const nothing = { detail: '', added: [], excluded: [], steps: [], machineIds: [], catchUp: [] }
  const about = { deploymentId: data.deploymentId, position: meta.position, at: iso(meta.at), actor: meta.actor }
  return { ...about, type, stepId, ...nothing, ...saidBy(fact) }
}

function saidBy({ type, data }: PlanFact): Partial<KeptPlanChange> {
  switch (type) {
    case 'DeploymentCreated':
      return { steps: plannedSteps(data) }
    case 'TargetsEvaluated':
      return { added: data.included.map((one) => ({ ...one, reason: null })), excluded: data.excluded }
    case 'TargetExcluded': {
      const reason = data.detail === '' ? data.cause : `${data.cause}: ${data.detail}`
      return { excluded: [{ machineId: data.machineId, name: data.machineId, reason }] }
    }
    case 'TargetsReevaluated':
      return { added: data.added, excluded: [...data.removed, ...(data.leftOut ?? [])], catchUp: data.catchUp }
    case 'TargetsRevalidated':
      return { added: data.joined, excluded: data.ignored }
    case 'TargetIncluded': {
      const { machineId, name, roles, reason, catchUp } = data
      return { added: [{ machineId, name, roles, reason, catchUp }] }
    }
    case 'StepSkipped':
      return { detail: data.reason }
    case 'StepStarted':
      return { machineIds: data.machineIds }
  }
}

type Created = Extract<PlanFact, { type: 'DeploymentCreated' }>['data']

function plannedSteps({ process, kind }: Created): readonly PlannedStep[] {
  let group = 0
  return process.steps.map((step, at): PlannedStep => {
    if (at > 0 && step.start !== 'with-previous') group++
    // Automatic deployments bring a release to single machines after it has been through its canary.
    const canary = 'canary' in step && kind === 'release' ? (step.canary?.size ?? null) : null
    return { id: step.id, name: step.name ?? step.id, kind: step.kind, group, roles: rolesOf(step), canary }
  })
}

/** Whatever names roles, and does not run on a worker, is for targets. */
function rolesOf(step: Step): readonly string[] | null {
  if (!('roles' in step)) return null
  return 'on' in step && step.on === 'worker' ? null : step.roles
}
