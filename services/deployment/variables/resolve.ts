import { partsOf, referenceDepthMax, resolvedCharsMax, type Part } from './references.ts'

export interface Given {
  /** Sensitive ones are taken as they are: a password may hold anything. */
  readonly value: string
  readonly sensitive: boolean
}

/** What a step said: `undefined` as long as it has not run, `null` when it has and said nothing of that name. */
export type OutputOf = (stepId: string, name: string) => string | null | undefined

export interface Resolved {
  readonly values: ReadonlyMap<string, string>
  /** Those that are sensitive, or are made of one that is. */
  readonly sensitive: ReadonlySet<string>
}

/** Left out, since a step that it needs has not run. */
const notYet = Symbol('not yet')
/** `depth`: how far its references lead. */
type Settled = Given & { readonly depth: number }
type Outcome = Settled | typeof notYet

/** Ends the work at the first mistake; never leaves this file. */
class Mistake extends Error {}

/**
 * Puts the values of other variables where they are referred to. A variable that needs the output of a step which has
 * not run yet is left out; everything else that cannot be had is a problem, told with the name of the variable.
 */
export function resolve(given: ReadonlyMap<string, Given>, outputOf: OutputOf): Resolved | { problem: string } {
  const resolver = new Resolver(given, outputOf)
  const values = new Map<string, string>()
  const sensitive = new Set<string>()
  try {
    for (const name of given.keys()) {
      const outcome = resolver.valueOf(name, [])
      if (outcome === notYet) continue
      values.set(name, outcome.value)
      if (outcome.sensitive) sensitive.add(name)
    }
  } catch (error) {
    if (error instanceof Mistake) return { problem: error.message }
    throw error
  }
  return { values, sensitive }
}

class Resolver {
  readonly #given: ReadonlyMap<string, Given>
  readonly #outputOf: OutputOf
  readonly #known = new Map<string, Outcome>()

  constructor(given: ReadonlyMap<string, Given>, outputOf: OutputOf) {
    this.#given = given
    this.#outputOf = outputOf
  }

  /** @param path the variables that refer to it, one by the other */
  valueOf(name: string, path: readonly string[]): Outcome {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const at = [...path, name]
    const given = this.#given.get(name)
    if (given === undefined)
      throw new Mistake(`variable ${path.at(-1)} refers to #{${name}}, which has no value for this task`)
    if (path.includes(name)) throw new Mistake(`variable ${name} refers to itself: ${at.join(' > ')}`)
    const outcome = given.sensitive ? { ...given, depth: 0 } : this.#join(partsOf(given.value), at)
    if (outcome !== notYet && outcome.depth > referenceDepthMax)
      throw new Mistake(`variable ${name} leads on to others more than ${referenceDepthMax} times`)
    this.#known.set(name, outcome)
    return outcome
  }

  #join(parts: readonly Part[], path: readonly string[]): Outcome {
    let value = ''
    let sensitive = false
    let depth = 0
    for (const part of parts) {
      const outcome = this.#partOf(part, path)
      if (outcome === notYet) return notYet
      value += outcome.value
      sensitive ||= outcome.sensitive
      if ('variable' in part) depth = Math.max(depth, outcome.depth + 1)
      if (value.length > resolvedCharsMax)
        throw new Mistake(`variable ${path.at(-1)} has more than ${resolvedCharsMax} characters with all it refers to`)
    }
    return { value, sensitive, depth }
  }

  #partOf(part: Part, path: readonly string[]): Outcome {
    if ('text' in part) return plain(part.text)
    if ('variable' in part) return this.valueOf(part.variable, path)
    if ('wrong' in part) throw new Mistake(`variable ${path.at(-1)} has ${part.wrong} in it, which is no reference`)
    const { stepId, name } = part.output
    const said = this.#outputOf(stepId, name)
    if (said === null)
      throw new Mistake(`variable ${path.at(-1)} refers to #{outputs.${stepId}.${name}}, which that step did not set`)
    return said === undefined ? notYet : plain(said)
  }
}

const plain = (value: string): Settled => ({ value, sensitive: false, depth: 0 })
