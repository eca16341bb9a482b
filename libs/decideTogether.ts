import type { z } from 'zod'
import type { Cause, Message } from '#contracts/message.ts'
import { isRefusal, type Decider, type Refusal } from './decider.ts'
import type { Held } from './streamMemory.ts'

// Behind one append may stand many commands, yet not more facts than every store takes at once.
const factsTogetherMax = 500

export interface Asked<Command> {
  readonly command: Command
  readonly cause: Cause
}

/**
 * What came of one command. `facts` counts what it stores, behind `offset` facts of those that were decided with it;
 * `repeats` is the version of the first fact that its command id has stored before.
 */
export type Outcome =
  | { readonly kind: 'facts'; readonly offset: number; readonly facts: number }
  | { readonly kind: 'repeats'; readonly version: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly error: unknown }

export interface Together<State, Event> {
  readonly outcomes: readonly Outcome[]
  /** As it is once the facts are stored. */
  readonly state: State
  readonly facts: readonly Event[]
  /** One for each fact. */
  readonly causes: readonly Cause[]
}

/**
 * Decides commands one after the other as if each had been stored before the next: the facts of all of them then fit
 * into one append. Stops before there are too many facts; there are fewer outcomes than commands then, at least one.
 */
export function decideTogether<State, Command, Event extends Message>(
  decider: Decider<State, Command, Event>,
  schema: z.ZodType<Event>,
  held: Held<State>,
  commands: readonly Asked<Command>[],
): Together<State, Event> {
  const outcomes: Outcome[] = []
  const facts: Event[] = []
  const causes: Cause[] = []
  const decided = new Map<string, Outcome>()
  let { state } = held

  for (const { command, cause } of commands) {
    const known = held.commandIds.get(cause.commandId)
    const again = known === undefined ? decided.get(cause.commandId) : { kind: 'repeats' as const, version: known }
    const choice = again ?? decideOne(decider, schema, command, state, facts.length)
    if (!('state' in choice)) {
      outcomes.push(choice)
      continue
    }
    if (outcomes.length > 0 && facts.length + choice.facts.length > factsTogetherMax) break
    state = choice.state
    facts.push(...choice.facts)
    for (const _ of choice.facts) causes.push(cause)
    const outcome: Outcome = { kind: 'facts', offset: choice.offset, facts: choice.facts.length }
    if (outcome.facts > 0) decided.set(cause.commandId, outcome)
    outcomes.push(outcome)
  }
  return { outcomes, state, facts, causes }
}

/** A decider that throws fails its own command and no other. */
function decideOne<State, Command, Event extends Message>(
  decider: Decider<State, Command, Event>,
  schema: z.ZodType<Event>,
  command: Command,
  before: State,
  offset: number,
): { facts: readonly Event[]; state: State; offset: number } | Outcome {
  try {
    const decision = decider.decide(command, before)
    if (isRefusal(decision)) return { kind: 'refused', refusal: decision }
    // The same schema guards both edges of the store, so nothing is written that cannot be read.
    const facts = decision.map((fact) => schema.parse(fact))
    const state = facts.reduce(decider.evolve, before)
    if (state === undefined) throw new Error(`the decider cannot fold what it decides: ${facts.at(-1)?.type}`)
    return { facts, state, offset }
  } catch (error) {
    return { kind: 'failed', error }
  }
}
