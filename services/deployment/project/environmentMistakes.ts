import type { StepOf } from '#contracts/process.ts'
import { partsOf } from '../variables/references.ts'

/** What Remuda tells every script stands under names of its own. */
const reserved = /^REMUDA_/i

/** What could never be a variable of one step alone, in words. Which variables it refers to is looked up when it runs. */
export function environmentMistakes({ id, environment = {} }: StepOf<'script'>): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    const say = (what: string) => [`step ${id}: environment.${name}: ${what}`]
    if (reserved.test(name)) return say('names that begin with REMUDA_ are for what Remuda says')
    return partsOf(value).flatMap((part) => ('wrong' in part ? say(`${part.wrong} is no reference`) : []))
  })
}

/** The outputs that they refer to, as `<step>.<name>`. */
export const outputsIn = ({ environment = {} }: StepOf<'script'>): readonly string[] =>
  Object.values(environment)
    .flatMap(partsOf)
    .flatMap((part) => ('output' in part ? [`${part.output.stepId}.${part.output.name}`] : []))
