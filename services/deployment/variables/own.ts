import { outputValues, type Run, type RunTask } from '../run/state.ts'
import { begunBy } from '../run/swap/swapState.ts'
import type { FleetMachine } from '../run/world.ts'

/** A single variable must fit into the environment of a process; longer lists of names are left out. */
const namesCharsMax = 100_000

/** What every script is told of the task it belongs to. A project's variables may refer to these, and not replace them. */
export const ownNames = [
  ...(['REMUDA_PROJECT', 'REMUDA_VERSION', 'REMUDA_ENVIRONMENT', 'REMUDA_DEPLOYMENT_ID', 'REMUDA_STEP'] as const),
  ...(['REMUDA_ATTEMPT', 'REMUDA_MACHINE_ID', 'REMUDA_MACHINE_NAME', 'REMUDA_TARGETS'] as const),
  'REMUDA_REPLACED_MACHINES',
  /** Those that a step with an effect is about. */
  'REMUDA_MACHINES',
] as const
type OwnName = (typeof ownNames)[number]

export function ownVariables(run: Run, task: RunTask, machine: FleetMachine): Readonly<Record<OwnName, string>> | null {
  const { created } = run
  if (created === null) return null
  return {
    REMUDA_PROJECT: created.projectId,
    REMUDA_VERSION: created.version,
    REMUDA_ENVIRONMENT: created.environmentId,
    REMUDA_DEPLOYMENT_ID: created.deploymentId,
    REMUDA_STEP: task.stepId,
    REMUDA_ATTEMPT: String(task.attempt),
    REMUDA_MACHINE_ID: machine.machineId,
    REMUDA_MACHINE_NAME: machine.name,
    ...listsOf(run.targets),
    REMUDA_MACHINES: names(begunBy(run, task.stepId).at(-1)?.machines ?? []),
  }
}

/** `REMUDA_OUTPUT_<STEP>_<NAME>`: what earlier steps said, one line for each time it was said. */
export function outputVariables({ outputs }: Run): Record<string, string> {
  const lines = new Map<string, string[]>()
  for (const { stepId, values } of outputs)
    for (const [name, value] of Object.entries(values)) {
      const variable = `REMUDA_OUTPUT_${stepId.replaceAll('-', '_')}_${name}`.toUpperCase()
      lines.set(variable, [...(lines.get(variable) ?? []), value])
    }
  return Object.fromEntries([...lines].map(([name, values]) => [name, linesThatFit(values)]))
}

/**
 * What a step said, as one machine sees it: its own latest word, or else a line for each time that any machine said it.
 * @returns undefined as long as the step has not succeeded anywhere; null when it has and did not say this
 */
export function outputFor(run: Run, machineId: string, stepId: string, name: string): string | null | undefined {
  const own = run.outputs.findLast(
    (said) => said.stepId === stepId && said.machineId === machineId && Object.hasOwn(said.values, name),
  )
  if (own !== undefined) return own.values[name]!
  const all = outputValues(run, `${stepId}.${name}`)
  if (all.length > 0) return linesThatFit(all)
  const step = run.steps.find(({ definition }) => definition.id === stepId)
  return step === undefined || step.state === 'succeeded' ? null : undefined
}

/** Whole values as long as there is room: a part of a name is the name of something else. */
function linesThatFit(values: readonly string[]): string {
  let chars = 0
  const tooMany = values.findIndex((value) => (chars += value.length + 1) > namesCharsMax)
  return values.slice(0, tooMany === -1 ? values.length : tooMany).join('\n')
}

type Lists = Pick<Record<OwnName, string>, 'REMUDA_TARGETS' | 'REMUDA_REPLACED_MACHINES'>
/** Made once for each set of targets: thousands of tasks are told the same names of thousands of machines. */
const made = new WeakMap<Run['targets'], Lists>()

function listsOf(targets: Run['targets']): Lists {
  const known = made.get(targets)
  if (known !== undefined) return known
  const all = [...targets.values()]
  const lists = {
    REMUDA_TARGETS: names(all.filter(({ excluded }) => excluded === null)),
    REMUDA_REPLACED_MACHINES: names(all.filter(({ excluded }) => excluded?.cause === 'replaced')),
  }
  made.set(targets, lists)
  return lists
}

const names = (targets: readonly { readonly name: string }[]): string => {
  const list = targets.map(({ name }) => name).join(',')
  return list.length > namesCharsMax ? '' : list
}
