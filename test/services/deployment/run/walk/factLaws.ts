import type { DeploymentEvent } from '#contracts/deployment.ts'
import { hasRole, workerRole } from '#contracts/eligibility.ts'
import { deadlineOf } from '#services/deployment/run/deadline.ts'
import {
  activeTasks,
  anyWorker,
  currentStep,
  includedTargets,
  latestTask,
  mayReturn,
  runsOnWorker,
  stillIncluded,
  taskKey,
} from '#services/deployment/run/state.ts'
import type { Run, RunStep } from '#services/deployment/run/state.ts'
import { isUndoing } from '#services/deployment/run/swap/compensation.ts'
import { countOf } from '#services/deployment/run/window.ts'
import { isContactable, type World } from '#services/deployment/run/world.ts'
import { environmentId } from './place.ts'
import { effectLaws, isDestroyed } from './swapLaws.ts'

type FactOf<Type extends DeploymentEvent['type']> = Extract<DeploymentEvent, { type: Type }>
type Laws = Readonly<Record<string, boolean>>

/** What must be true of each fact, given the run just before it. Answers the laws that are broken. */
export function lawsBroken(run: Run, fact: DeploymentEvent, world: World, nowMs: number): readonly string[] {
  const always = { 'nothing follows the end': run.status !== 'ended' || fact.type === 'TargetCleaned' }
  return Object.entries({ ...always, ...lawsOf(run, fact, world, nowMs) }).flatMap(([law, kept]) => (kept ? [] : [law]))
}

function lawsOf(run: Run, fact: DeploymentEvent, world: World, nowMs: number): Laws {
  switch (fact.type) {
    case 'TaskDispatched':
      return dispatchLaws(run, fact.data, world, nowMs)
    case 'MachineDeregistrationRequested':
      return deregistrationLaws(run, fact.data, world)
    case 'TargetsReevaluated':
      return reevaluationLaws(run, fact.data, world)
    case 'StepSucceeded':
      return { 'success is never invented': mayHaveSucceeded(run, stepOf(run, fact.data.stepId), world) }
    case 'StepFailed':
    case 'StepSkipped':
      return { 'a step ends when nothing of it runs': !isAtWorkFor(run, fact.data.stepId) }
    case 'TargetExcluded':
      return {
        'only a target is left out, and once': run.targets.get(fact.data.machineId)?.excluded === null,
        'a target at work is not left out': !isAtWork(run, fact.data.machineId),
        'whom a person leaves out is said to be so':
          (fact.data.cause === 'person') === isLeftOut(run, fact.data.stepId, fact.data.machineId, fact.data.cause),
      }
    case 'TargetIncluded':
    case 'TargetExclusionRequested':
    case 'TargetExclusionLifted':
      return { 'nothing is changed after the end': run.status !== 'ended' }
    case 'TargetsRevalidated':
      return {
        'nobody joins whom a person keeps out': fact.data.joined.every(({ machineId }) => !run.barred.has(machineId)),
        'nobody joins who failed here': fact.data.joined.every(({ machineId }) =>
          mayReturn(run.targets.get(machineId)),
        ),
        'nobody joins after a failure': run.failure === null,
      }
    case 'DeploymentStarted':
      return { 'nobody is overtaken': world.mayStart(fact.data.deploymentId), 'starts once': run.status === 'queued' }
    case 'DeploymentSucceeded':
    case 'DeploymentFailed':
    case 'DeploymentCancelled':
      return endingLaws(run, fact)
    case 'ChildDeploymentRequested':
      return {
        'a step makes one other deployment': stepOf(run, fact.data.stepId).child === null,
        'nothing else is begun after a cancel': run.cancel === null,
        'no project is deployed again on its own way': fact.data.parents.every(
          ({ projectId }) => projectId !== fact.data.projectId,
        ),
      }
    case 'ChildCancelRequested':
      return {
        'the other deployment is told to stop once': stepOf(run, fact.data.stepId).child?.isToldToStop === false,
      }
    case 'CanaryPassed':
      return { 'success of the first is never invented': canaryThrough(run, stepOf(run, fact.data.stepId)) }
    case 'DecisionRequested':
      return questionLaws(run, fact.data, nowMs)
    case 'DecisionMade':
      return {
        'only what is asked is decided': isOpen(run, fact.data.stepId, fact.data.machineId),
        'nothing is decided after a cancel': run.cancel === null,
      }
    case 'TargetMarkedDirty':
      return { 'only what is told to stop is given up': run.tasks.get(fact.data.taskId)?.cancelRequested === true }
    case 'TargetCleaned':
      return { 'only what is dirty is cleaned': run.dirty.has(fact.data.taskId) }
    case 'DeploymentHeld':
      return { 'nobody is held who may go on': run.status === 'running' || !world.mayStart(fact.data.deploymentId) }
    case 'DeploymentResumed':
      return { 'only who was held goes on': run.held !== null && run.status === 'running' }
    case 'EffectBegun':
      return effectLaws(run, fact.data, world)
    case 'ServingChanged':
    case 'MachinesCreated':
    case 'MachinesDestroyed':
    case 'OutputsReported':
    case 'DeploymentCreated':
    case 'TargetsEvaluated':
    case 'StepStarted':
    case 'TaskStarted':
    case 'TaskSucceeded':
    case 'TaskFailed':
    case 'TaskLost':
    case 'TaskCancelRequested':
    case 'ApprovalRequested':
    case 'ApprovalGiven':
    case 'ApprovalRefused':
    case 'DeploymentCancelRequested':
      return {}
  }
}

const stepOf = (run: Run, stepId: string): RunStep => run.steps.find(({ definition }) => definition.id === stepId)!
const isAtWorkFor = (run: Run, stepId: string) => activeTasks(run).some((task) => task.stepId === stepId)
const isAtWork = (run: Run, machineId: string) => activeTasks(run).some((task) => task.machineId === machineId)
const isIncluded = (run: Run, machineId: string) => run.targets.get(machineId)?.excluded === null

function dispatchLaws(run: Run, data: FactOf<'TaskDispatched'>['data'], world: World, nowMs: number): Laws {
  const { machineId, stepId, attempt, taskId } = data
  const { definition } = stepOf(run, stepId)
  if (definition.kind !== 'script' && definition.kind !== 'http')
    return { 'only what machines run is handed out': false }
  const machine = world.machine(machineId)
  const onWorker = runsOnWorker(definition)
  const before = run.tasks
    .valueSeq()
    .filter((task) => task.stepId === stepId && (onWorker || task.machineId === machineId))
    .maxBy((task) => task.attempt)
  const isUncertain = before?.state === 'lost' || before?.reason === 'interrupted'
  // A person who wants another try, or takes the machine in again, lets it begin anew, with all its tries and its time.
  const isTakenIn = (run.targets.get(machineId)?.takenInAt ?? 0) > 0
  const isAsked = run.questions.get(taskKey(run, stepId, machineId))?.answer === 'retry'
  const isWanted = (isAsked || isTakenIn) && before?.isWantedAgain === true
  const tries = isWanted ? 1 : attempt - (before?.triesBefore ?? 0)
  const begunAt = isWanted ? nowMs : (before?.begunAt ?? nowMs)
  return {
    'nothing begins after a cancel but what undoes': run.cancel === null || isUndoing(run, stepId),
    'nothing begins before the start': run.status === 'running',
    'work goes to machines that answer': machine !== undefined && isContactable(machine),
    'work goes to machines that are enabled': machine?.enabled === true,
    'one task at a time on a machine': world.isFree(machineId, data.deploymentId) && !isAtWork(run, machineId),
    'work on targets goes to targets, other work to workers': onWorker
      ? machine?.roles.includes(workerRole) === true
      : isIncluded(run, machineId) && machine?.environmentId === environmentId,
    'a window is never exceeded': onWorker ? !isAtWorkFor(run, stepId) : fitsWindow(run, stepId),
    'the minimum stays healthy': keepsMinimum(run, stepId, machineId, world),
    'the others are held back': mayBeginBesideCanary(run, stepId, machineId, nowMs),
    'attempts are counted': attempt === (before?.attempt ?? 0) + 1 && tries <= definition.attemptsMax,
    'an attempt is made once': !run.tasks.has(taskId),
    'what has succeeded is not done again': before?.state !== 'succeeded',
    'nobody knows how far it got, so it is not tried again': !isUncertain || definition.repeatable || isWanted,
    'a retry waits': before === undefined || isWanted || nowMs >= before.endedAt + definition.retryAfterMs,
    'all attempts share one time limit': nowMs + data.timeLimitMs <= begunAt + definition.timeLimitMs,
    'only what clears up begins when the time is over': run.failure !== null || nowMs < (deadlineOf(run) ?? Infinity),
  }
}

/** Whether one more may work, among those that are concerned: the step's targets, or those that make up for it. */
function fitsWindow(run: Run, stepId: string): boolean {
  const step = stepOf(run, stepId)
  const { definition } = step
  if (definition.kind !== 'script') return false
  const current = step.state === 'running' ? step : currentStep(run)
  const isRetargeting = current?.state === 'running' && current.reevaluated
  const owing = includedTargets(run).filter(({ owes }) => owes.includes(stepId))
  const among = step.state === 'running' || isRetargeting ? stillIncluded(run, current!.machineIds) : owing
  const concerned = among.filter((target) => hasRole(target, definition.roles))
  const active = activeTasks(run).filter((task) => task.stepId === stepId)
  return active.length + 1 <= countOf(definition.window, concerned.length)
}

/** The first targets of a step with a canary, of which some are held back. */
function canariesOf(run: Run, { definition, machineIds }: RunStep): readonly string[] | null {
  if (definition.kind !== 'script' || definition.canary === null) return null
  const size = countOf(definition.canary.size, machineIds.length)
  const included = machineIds.filter((id) => isIncluded(run, id))
  return size < machineIds.length ? included.slice(0, size) : null
}

const canaryThrough = (run: Run, step: RunStep): boolean =>
  step.canaryPassedAt === null &&
  canariesOf(run, step)?.every(
    (id) => latestTask(run, step.definition.id, id)?.state === 'succeeded' || isIgnored(run, step.definition.id, id),
  ) === true

function mayBeginBesideCanary(run: Run, stepId: string, machineId: string, nowMs: number): boolean {
  const step = stepOf(run, stepId)
  const canaries = canariesOf(run, step)
  if (step.state !== 'running' || canaries === null || step.definition.kind !== 'script') return true
  if (step.canaryPassedAt === null) return canaries.includes(machineId)
  const { hold } = step.definition.canary!
  if ('forMs' in hold) return nowMs >= step.canaryPassedAt + hold.forMs
  return run.approval?.stepId === stepId && run.approval.answer === 'given'
}

const isOpen = (run: Run, stepId: string, machineId: string) =>
  run.questions.get(taskKey(run, stepId, machineId))?.answer === 'open'

/** Whether a person wants to go on without it; what takes it away before that is done is another reason. */
const isLeftOut = (run: Run, stepId: string, machineId: string, cause: FactOf<'TargetExcluded'>['data']['cause']) =>
  (run.barred.has(machineId) || run.questions.get(taskKey(run, stepId, machineId))?.answer === 'exclude') &&
  !['removed', 'disabled', 'unhealthy'].includes(cause)

/** Whether a person wants to go on though it failed there. */
const isIgnored = (run: Run, stepId: string, machineId: string) =>
  run.questions.get(taskKey(run, stepId, machineId))?.answer === 'ignore'

function questionLaws(
  run: Run,
  { stepId, machineId, options }: FactOf<'DecisionRequested'>['data'],
  nowMs: number,
): Laws {
  const { definition } = stepOf(run, stepId)
  const onWorker = runsOnWorker(definition)
  const task = run.tasks.get(run.latest.get(taskKey(run, stepId, machineId)) ?? '')
  const before = run.questions.get(taskKey(run, stepId, machineId))
  return {
    'only where it is wanted somebody is asked': 'onFailure' in definition && definition.onFailure === 'ask',
    'only targets are asked about': onWorker || isIncluded(run, machineId),
    'only targets are left out': !onWorker || !options.includes('exclude'),
    'nobody is asked about what works or has succeeded': task === undefined || task.endedAt > 0,
    'one is asked about a failure once': before?.answer !== 'open' || nowMs >= before.deadlineAt,
    'nobody is asked after a cancel': run.cancel === null,
  }
}

/** Whoever begins does no work meanwhile: enough others must, unless it does none now. */
function keepsMinimum(run: Run, stepId: string, machineId: string, world: World): boolean {
  const { state, minimumHealthy, machineIds } = stepOf(run, stepId)
  if (state !== 'running' || minimumHealthy === null) return true
  const serves = (id: string) =>
    ['healthy', 'degraded'].includes(world.machine(id)?.status ?? 'gone') &&
    world.machine(id)?.enabled === true &&
    !isAtWork(run, id) &&
    !['failed', 'lost'].includes(latestTask(run, stepId, id)?.state ?? '')
  const serving = machineIds.filter((id) => isIncluded(run, id) && serves(id))
  return !serving.includes(machineId) || serving.length > minimumHealthy
}

function deregistrationLaws(run: Run, data: FactOf<'MachineDeregistrationRequested'>['data'], world: World): Laws {
  const { machineId, stepId } = data
  return {
    'what serves is never taken out': !isIncluded(run, machineId) || isDestroyed(run, stepId, machineId),
    'only machines of the environment are taken out': world.machine(machineId)?.environmentId === environmentId,
    'removal is asked for once': !stepOf(run, stepId).deregistering.includes(machineId),
    'nothing is taken out after a cancel but what was destroyed': run.cancel === null || isUndoing(run, stepId),
  }
}

function reevaluationLaws(run: Run, data: FactOf<'TargetsReevaluated'>['data'], world: World): Laws {
  const { added, removed, kept } = data
  const mayJoin = (machineId: string) => {
    const machine = world.machine(machineId)
    const cause = run.targets.get(machineId)?.excluded?.cause
    return (
      machine !== undefined &&
      isContactable(machine) &&
      machine.enabled &&
      machine.environmentId === environmentId &&
      !machine.roles.includes(workerRole) &&
      !['failed', 'lost', 'person'].includes(cause ?? '')
    )
  }
  const included = [...run.targets.values()].filter(({ excluded }) => excluded === null).map((one) => one.machineId)
  const standing = [...removed.map(({ machineId }) => machineId), ...kept]
  return {
    'only machines that can be worked with join': added.every(({ machineId }) => mayJoin(machineId)),
    'nobody joins who is there': added.every(({ machineId }) => !included.includes(machineId)),
    'every target stays or goes': standing.toSorted().join() === included.toSorted().join(),
  }
}

function mayHaveSucceeded(run: Run, { definition, machineIds }: RunStep, world: World): boolean {
  if (isAtWorkFor(run, definition.id)) return false
  const targets = stillIncluded(run, machineIds)
  switch (definition.kind) {
    case 'http':
    case 'script':
    case 'package':
      return runsOnWorker(definition)
        ? run.tasks.some((task) => task.stepId === definition.id && task.state === 'succeeded') ||
            isIgnored(run, definition.id, anyWorker)
        : targets.length > 0 &&
            targets.every(
              ({ machineId }) =>
                latestTask(run, definition.id, machineId)?.state === 'succeeded' ||
                isIgnored(run, definition.id, machineId),
            )
    case 'health-check':
      return targets.every(({ machineId }) => isContactable(world.machine(machineId)!))
    case 'deploy-release':
      return !definition.wait || world.child('')?.state === 'succeeded'
    case 'approval':
      return run.approval?.stepId === definition.id && run.approval.answer === 'given'
    case 'reevaluate-targets':
      return targets.every(({ machineId, owes, roles }) =>
        run.steps.every(
          (step) =>
            step.definition.kind !== 'script' ||
            !owes.includes(step.definition.id) ||
            !hasRole({ roles }, step.definition.roles) ||
            latestTask(run, step.definition.id, machineId)?.state === 'succeeded' ||
            isIgnored(run, step.definition.id, machineId),
        ),
      )
    case 'deregister-machines':
      return [...run.targets.values()].every(
        ({ machineId, excluded }) =>
          definition.from !== 'replaced' ||
          excluded?.cause !== 'replaced' ||
          world.machine(machineId)?.registered !== true ||
          world.machine(machineId)?.environmentId !== environmentId,
      )
  }
}

function endingLaws(
  run: Run,
  { type, data }: FactOf<'DeploymentSucceeded' | 'DeploymentFailed' | 'DeploymentCancelled'>,
): Laws {
  const outcomeOf = new Map(data.outcomes.map(({ machineId, outcome }) => [machineId, outcome]))
  const included = [...run.targets.values()].filter(({ excluded }) => excluded === null)
  return {
    'a run ends when nothing runs': run.active.isEmpty(),
    'one outcome for every target it ever had':
      data.outcomes.length === run.targets.size && [...run.targets.keys()].every((id) => outcomeOf.has(id)),
    'who was left out has not succeeded': [...run.targets.values()].every(
      ({ machineId, excluded }) => excluded === null || outcomeOf.get(machineId) !== 'succeeded',
    ),
    'who succeeded did all that it began': included.every(
      ({ machineId }) =>
        outcomeOf.get(machineId) !== 'succeeded' ||
        run.tasks
          .filter((task) => task.machineId === machineId)
          .every(({ stepId }) => latestTask(run, stepId, machineId)?.state === 'succeeded'),
    ),
    'a success is one for all that are left': type !== 'DeploymentSucceeded' || run.failure === null,
    'in a success every target that is left succeeded':
      type !== 'DeploymentSucceeded' ||
      included.every(
        ({ machineId }) =>
          outcomeOf.get(machineId) === 'succeeded' ||
          run.steps.some(({ definition }) => isIgnored(run, definition.id, machineId)),
      ),
    // One that finds no target has nothing to go through.
    'who did not fail ends by itself':
      type === 'DeploymentCancelled' ||
      currentStep(run) === undefined ||
      (type === 'DeploymentFailed' && run.targets.isEmpty()),
    'only what somebody cancelled, or what came too late, is cancelled':
      (type === 'DeploymentCancelled') === (run.cancel !== null || run.status === 'queued'),
  }
}
