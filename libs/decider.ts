import type { RefusalCode } from '#contracts/refusals.ts'

/** An aggregate, whole: where it starts, how facts change it, what it answers a request. */
export interface Decider<State, Command, Event> {
  readonly initial: State
  readonly evolve: (state: State, event: Event) => State
  readonly decide: (command: Command, state: State) => Decision<Event>
}

/** A refusal is an answer; a throw is a fault. */
export type Decision<Event> = readonly Event[] | Refusal

export interface Refusal {
  readonly refused: RefusalCode
  readonly detail: string
}

export const refuse = (refused: RefusalCode, detail: string): Refusal => ({ refused, detail })

export const isRefusal = (answer: unknown): answer is Refusal =>
  typeof answer === 'object' && answer !== null && 'refused' in answer

export const replay = <State, Event>(
  decider: Pick<Decider<State, never, Event>, 'initial' | 'evolve'>,
  events: readonly Event[],
): State => events.reduce(decider.evolve, decider.initial)
