import type { WorkOrder } from '#contracts/agent.ts'
import type { Step, Variable } from '#contracts/process.ts'
import { includedTargets, type Run, type RunTask } from './run/state.ts'
import type { FleetMachine } from './run/world.ts'

/** How much a machine may send of what a task prints, before it cuts and says so. */
const logCharsMax = 4 * 1024 * 1024
/** A single variable must fit into the environment of a process; longer lists of names are left out. */
const namesCharsMax = 100_000

/**
 * What a machine is handed to run one attempt: the script and the variables that it may see. Values go into the
 * environment of the process and never into the text of the script, so nothing in them is ever executed.
 */
export function workOrderFor(run: Run, task: RunTask, machine: FleetMachine, epoch: number): WorkOrder | null {
  const { created } = run
  const definition = run.steps.find((step) => step.definition.id === task.stepId)?.definition
  if (created === null || definition === undefined) return null
  const work = workOf(definition)
  if (work === null) return null
  return {
    taskId: task.taskId,
    deploymentId: created.deploymentId,
    stepId: task.stepId,
    attempt: task.attempt,
    epoch,
    ...work,
    environment: {
      ...variablesFor(created.variables, created.environmentId, machine.roles),
      ...outputVariables(run),
      REMUDA_PROJECT: created.projectId,
      REMUDA_VERSION: created.version,
      REMUDA_ENVIRONMENT: created.environmentId,
      REMUDA_DEPLOYMENT_ID: created.deploymentId,
      REMUDA_STEP: task.stepId,
      REMUDA_ATTEMPT: String(task.attempt),
      REMUDA_MACHINE_ID: machine.machineId,
      REMUDA_MACHINE_NAME: machine.name,
      REMUDA_TARGETS: names(includedTargets(run)),
      REMUDA_REPLACED_MACHINES: names(replacedTargets(run)),
    },
    timeLimitMs: task.timeLimitMs,
    logCharsMax,
  }
}

/** What there is to do. An agent that knows no calls yet finds no interpreter, and says so. */
function workOf(definition: Step): Pick<WorkOrder, 'interpreter' | 'script' | 'http'> | null {
  switch (definition.kind) {
    case 'script':
      return { interpreter: definition.interpreter, script: definition.script }
    case 'http': {
      const { method, url, headers, body, expect, output } = definition
      const http = {
        method,
        url,
        headers,
        expect,
        ...(body !== undefined && { body }),
        ...(output !== undefined && { output }),
      }
      return { interpreter: '', script: '', http }
    }
    case 'health-check':
    case 'reevaluate-targets':
    case 'deregister-machines':
    case 'approval':
    case 'deploy-release':
      return null
  }
}

/** The most specific value of each variable: environment and role, then environment, then role, then neither. */
export function variablesFor(
  variables: readonly Variable[],
  environmentId: string,
  roles: readonly string[],
): Record<string, string> {
  const chosen = new Map<string, { rank: number; value: string }>()
  for (const { name, value, environments, roles: wanted } of variables) {
    if (environments.length > 0 && !environments.includes(environmentId)) continue
    if (wanted.length > 0 && !wanted.some((role) => roles.includes(role))) continue
    const rank = (environments.length > 0 ? 2 : 0) + (wanted.length > 0 ? 1 : 0)
    if (rank >= (chosen.get(name)?.rank ?? 0)) chosen.set(name, { rank, value })
  }
  return Object.fromEntries([...chosen].map(([name, { value }]) => [name, value]))
}

/** `REMUDA_OUTPUT_<STEP>_<NAME>`: what earlier steps said, one line for each time it was said. */
function outputVariables({ outputs }: Run): Record<string, string> {
  const lines = new Map<string, string[]>()
  for (const { stepId, values } of outputs)
    for (const [name, value] of Object.entries(values)) {
      const variable = `REMUDA_OUTPUT_${stepId.replaceAll('-', '_')}_${name}`.toUpperCase()
      lines.set(variable, [...(lines.get(variable) ?? []), value])
    }
  return Object.fromEntries([...lines].map(([name, values]) => [name, linesThatFit(values)]))
}

/** Whole values as long as there is room: a part of a name is the name of something else. */
function linesThatFit(values: readonly string[]): string {
  let chars = 0
  const tooMany = values.findIndex((value) => (chars += value.length + 1) > namesCharsMax)
  return values.slice(0, tooMany === -1 ? values.length : tooMany).join('\n')
}

const replacedTargets = (run: Run) =>
  run.targets
    .valueSeq()
    .filter(({ excluded }) => excluded?.cause === 'replaced')
    .toArray()

const names = (targets: readonly { readonly name: string }[]): string => {
  const list = targets.map(({ name }) => name).join(',')
  return list.length > namesCharsMax ? '' : list
}
