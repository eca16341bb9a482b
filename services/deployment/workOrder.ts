import type { WorkOrder } from '#contracts/agent.ts'
import type { SecretReference, Step, StepOf, Variable } from '#contracts/process.ts'
import { sensitiveCharsMax } from '#contracts/sensitive.ts'
import { addressIn } from '#contracts/steps/package.ts'
import type { Created, Run, RunTask } from './run/state.ts'
import { seenBy } from './run/swap/swapState.ts'
import type { FleetMachine } from './run/world.ts'
import { outputFor, outputVariables, ownVariables } from './variables/own.ts'
import { resolveForStep } from './variables/ofStep.ts'
import { resolve, type Given, type OutputOf, type Resolved } from './variables/resolve.ts'
import { variablesAt } from './variables/scope.ts'

/** How much a machine may send of what a task prints, before it cuts and says so. */
const logCharsMax = 4 * 1024 * 1024

export type SecretVariable = Variable & { readonly secret: SecretReference }
/** The values of the sensitive variables that a task sees, by name. */
export type SecretValues = ReadonlyMap<string, string>

/** The sensitive variables whose values a task needs. */
export const secretsFor = (run: Run, task: RunTask, machine: FleetMachine): readonly SecretVariable[] =>
  [...chosenFor(run, task, machine)].filter((variable): variable is SecretVariable => variable.secret !== undefined)

/**
 * What a machine is handed to run one attempt: the script and the variables that it may see. Values go into the
 * environment of the process or into files, never into the text of the script, so nothing in them is ever executed.
 * @param secrets the values of what `secretsFor` names
 * @returns null where there is nothing that a machine could run; a problem where a variable can have no value
 */
export function workOrderFor(
  run: Run,
  task: RunTask,
  machine: FleetMachine,
  epoch: number,
  secrets: SecretValues = new Map(),
): WorkOrder | { readonly problem: string } | null {
  const { created } = run
  const definition = run.steps.find((step) => step.definition.id === task.stepId)?.definition
  const own = ownVariables(run, task, machine)
  if (created === null || own === null || definition === undefined) return null
  const work = workOf(definition, created)
  if (work === null) return null
  const variables = chosenFor(run, task, machine)
  const given = givenBy(own, variables, secrets)
  const outputOf: OutputOf = (stepId, name) => outputFor(run, machine.machineId, stepId, name)
  const shared = resolve(given, outputOf)
  if ('problem' in shared) return shared
  const ofStep = resolveForStep(definition.kind === 'script' ? (definition.environment ?? {}) : {}, shared, outputOf)
  if ('problem' in ofStep) return ofStep
  const resolved = over(shared, ofStep)
  const problem = tooMuch(resolved)
  if (problem !== null) return { problem }
  const files = variables.filter(
    ({ as, name }) =>
      as === 'file' && resolved.values.has(name) && !Object.hasOwn(own, name) && !ofStep.values.has(name),
  )
  return {
    taskId: task.taskId,
    deploymentId: created.deploymentId,
    stepId: task.stepId,
    attempt: task.attempt,
    epoch,
    ...work,
    environment: { ...outputVariables(seenBy(run, definition)), ...Object.fromEntries(resolved.values), ...own },
    ...(resolved.sensitive.size === 0 ? {} : { sensitive: [...resolved.sensitive] }),
    ...(files.length === 0 ? {} : { files: files.map(({ name }) => name) }),
    timeLimitMs: task.timeLimitMs,
    logCharsMax,
  }
}

type Work = Pick<WorkOrder, 'interpreter' | 'script' | 'http' | 'package'>

/** What there is to do. An agent that knows no calls yet finds no interpreter, and says so. */
function workOf(definition: Step, created: Created): Work | null {
  switch (definition.kind) {
    case 'script':
      return { interpreter: definition.interpreter, script: definition.script }
    case 'package':
      return packageWork(definition, created)
    case 'http': {
      const { method, url, headers, body, expect, output } = definition
      const more = { ...(body !== undefined && { body }), ...(output !== undefined && { output }) }
      return { interpreter: '', script: '', http: { method, url, headers, expect, ...more } }
    }
    case 'health-check':
    case 'reevaluate-targets':
    case 'deregister-machines':
    case 'approval':
    case 'deploy-release':
      return null
  }
}

/** A package as the release has fixed it, and the script that is run in it, if there is one. */
function packageWork(definition: StepOf<'package'>, { projectId, version, packages }: Created): Work | null {
  const { id, url, keep, interpreter, script = '' } = definition
  const pin = packages?.find(({ stepId }) => stepId === id)
  if (pin === undefined) return null
  const { stepId: _, source: __, ...what } = pin
  const address = url === undefined ? null : addressIn(url, version)
  return { interpreter, script, package: { projectId, ...what, url: address, ...(keep !== undefined && { keep }) } }
}

function chosenFor(
  { created }: Run,
  { stepId }: RunTask,
  { machineId, name, roles }: FleetMachine,
): readonly Variable[] {
  if (created === null) return []
  const place = { environmentId: created.environmentId, machineId, machineName: name, roles, stepId }
  return [...variablesAt(created.variables, place).values()]
}

/** What Remuda itself says stands over a project's variable of the same name. */
const givenBy = (own: object, variables: readonly Variable[], secrets: SecretValues): ReadonlyMap<string, Given> =>
  new Map([
    ...variables.map(({ name, value, secret }): [string, Given] => [
      name,
      { value: secret === undefined ? value : (secrets.get(name) ?? ''), sensitive: secret !== undefined },
    ]),
    ...Object.entries(own).map(([name, value]): [string, Given] => [name, { value: escaped(value), sensitive: false }]),
  ])

/** What a step has for itself stands over what the project gives to all. */
function over(shared: Resolved, ofStep: Resolved): Resolved {
  const kept = [...shared.sensitive].filter((name) => !ofStep.values.has(name))
  return {
    values: new Map([...shared.values, ...ofStep.values]),
    sensitive: new Set([...kept, ...ofStep.sensitive]),
  }
}

/** Names of machines and versions hold no reference, whatever they look like. */
const escaped = (value: string): string => value.replaceAll('#{', '##{')

function tooMuch({ values, sensitive }: { values: ReadonlyMap<string, string>; sensitive: ReadonlySet<string> }) {
  const chars = [...sensitive].reduce((sum, name) => sum + values.get(name)!.length, 0)
  if (chars <= sensitiveCharsMax) return null
  return `the sensitive variables for this task have ${chars} characters together, at most ${sensitiveCharsMax}`
}
