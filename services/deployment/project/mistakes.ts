import { rolesMax } from '#contracts/ids.ts'
import type { Process, Step } from '#contracts/process.ts'
import { conditionMistake } from '../run/condition.ts'
import { runsOnTargets } from '../run/state.ts'
import { aloneMistakes } from './aloneMistakes.ts'
import { effectMistakes } from './effectMistakes.ts'
import { outputsIn } from './environmentMistakes.ts'

/** Written as JSON. Process and variables, and the machines that are named, go into one fact of each deployment. */
const processBytesMax = 384 * 1024

/** What would keep a process from ever running, in words; what is about a step names it. */
export function processMistakes(process: Process, projectId?: string): readonly string[] {
  const mistakes: string[] = []
  const roles = targetRolesOf(process).length
  if (roles > rolesMax) mistakes.push(`its steps on targets name ${roles} roles, at most ${rolesMax}`)
  const bytes = bytesOf(process)
  if (bytes > processBytesMax) mistakes.push(`it takes ${bytes} bytes as JSON, at most ${processBytesMax}`)
  for (const step of process.steps)
    if (step.kind === 'deploy-release' && step.project === projectId)
      mistakes.push(`step ${step.id}: a project does not deploy itself`)
  return [...mistakes, ...stepMistakes(process)]
}

export const bytesOf = (value: object): number => new TextEncoder().encode(JSON.stringify(value)).length

function stepMistakes({ steps }: Process): readonly string[] {
  const mistakes: string[] = []
  const earlier = new Map<string, Step>()
  for (const step of steps) {
    const say = (what: string) => mistakes.push(`step ${step.id}: ${what}`)
    if (earlier.has(step.id)) say('another step has the same id')
    const output = outputRead(step)
    if (output !== null) {
      const source = output.slice(0, output.indexOf('.'))
      if (!mayHaveSet(earlier.get(source), output)) say(`output ${output} is set by no script step before it`)
    }
    for (const output of step.kind === 'script' ? outputsIn(step) : []) {
      const source = output.slice(0, output.indexOf('.'))
      if (!mayHaveSet(earlier.get(source), output)) say(`output ${output} is set by no script step before it`)
    }
    if (step.kind === 'deregister-machines' && step.from === 'replaced' && !replacesBefore(earlier))
      say('no step before it replaces targets')
    if (step.start === 'with-previous') mistakes.push(...groupMistakes(step, steps.slice(0, steps.indexOf(step))))
    mistakes.push(...aloneMistakes(step), ...effectMistakes(step, earlier, steps[steps.indexOf(step) - 1]))
    const wrong = step.when === undefined ? null : conditionMistake(step.when)
    if (wrong !== null) say(`when: ${wrong}`)
    earlier.set(step.id, step)
  }
  return mistakes
}

/** Kinds that change who the targets are, or hold the whole run, do so alone. */
const alone: ReadonlySet<Step['kind']> = new Set([
  ...(['reevaluate-targets', 'deregister-machines', 'approval', 'deploy-release'] as const),
])

function groupMistakes(step: Step, before: readonly Step[]): readonly string[] {
  const say = (what: string) => [`step ${step.id}: ${what}`]
  const previous = before.at(-1)
  if (previous === undefined) return say('there is no step before it to run side by side with')
  if (alone.has(step.kind)) return say(`a step of kind ${step.kind} runs alone`)
  if (alone.has(previous.kind)) return say(`it cannot run beside ${previous.id}, of kind ${previous.kind}`)
  const first = before.findLastIndex(({ start }) => start === 'after-previous')
  const other = before.slice(Math.max(0, first)).find(asksToGoOn)
  return other !== undefined && asksToGoOn(step) ? say(`step ${other.id} beside it asks for an approval as well`) : []
}

const asksToGoOn = (step: Step): boolean =>
  (step.kind === 'script' || step.kind === 'package') && step.canary !== null && 'approval' in step.canary.hold

/** A script may set any output, also that of a package; a call the one that it names. */
const mayHaveSet = (step: Step | undefined, output: string): boolean =>
  step?.kind === 'script' ||
  (step?.kind === 'package' && step.script !== undefined) ||
  (step?.kind === 'http' && output === `${step.id}.${step.output}`)

const outputRead = (step: Step): string | null => {
  if (step.kind !== 'reevaluate-targets' && step.kind !== 'deregister-machines') return null
  return typeof step.from === 'object' && 'output' in step.from ? step.from.output : null
}

const replacesBefore = (earlier: ReadonlyMap<string, Step>): boolean =>
  [...earlier.values()].some((step) => step.kind === 'reevaluate-targets' && step.mode === 'replace')

/** The roles a release is for: those its steps on targets name. One step without roles makes it for all machines. */
export function targetRolesOf({ steps }: Process): readonly string[] {
  const wanted = steps.flatMap((step) => (runsOnTargets(step) ? [step.roles] : []))
  if (wanted.some((roles) => roles.length === 0)) return []
  return [...new Set(wanted.flat())].toSorted()
}
