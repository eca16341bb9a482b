import type { z } from 'zod'
import type { Cause, Message, Recorded } from '#contracts/message.ts'
import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import { refuse, type Decider, type Refusal } from './decider.ts'
import { decideTogether, type Asked, type Outcome } from './decideTogether.ts'
import { Lines } from './lines.ts'
import { StreamMemory, type HandlerStore, type Held, type SnapshotPolicy } from './streamMemory.ts'

const raceBackoff = { baseMs: 2, delayMaxMs: 100 }
const commandsTogetherMax = 256

export interface HandlerOptions<State, Command, Event extends Message> {
  readonly store: HandlerStore
  readonly clock: Clock
  readonly decider: Decider<State, Command, Event>
  /** The union of the stream's events: parses what is read, and strips what is to be stored of all that is no fact. */
  readonly schema: z.ZodType<Event>
  /** For long streams. The state must survive JSON: plain objects and arrays, no Map, Set or Date. */
  readonly snapshot?: SnapshotPolicy
  /** Streams whose state stays in memory. */
  readonly cacheStreamsMax?: number
  /** Command ids remembered per stream; an older one that comes again is decided again. */
  readonly commandIdsMax?: number
  /** Tries of one command before a race that is lost again and again becomes a fault. */
  readonly attemptsMax?: number
  /** Commands that may wait for one stream before more are refused as TOO_MANY_REQUESTS. */
  readonly waitingMax?: number
}

/**
 * What a command led to. `facts` are those it stored, or stored when it came first; empty when nothing had to change.
 * `version` and `position` are those of the last event of the stream then, 0 when it has none.
 */
export interface Handled<Event extends Message> {
  readonly version: number
  readonly position: number
  readonly facts: readonly Recorded<Event>[]
}

/** The one road from a command to the store: load, decide, append; on a lost race, think again with the newer facts. */
export const createHandler = <State, Command, Event extends Message>(
  options: HandlerOptions<State, Command, Event>,
): Handler<State, Command, Event> => new Handler(options)

type Answer<Event extends Message> = Handled<Event> | Refusal

export class Handler<State, Command, Event extends Message> {
  readonly #options: HandlerOptions<State, Command, Event>
  readonly #memory: StreamMemory<State, Event>
  readonly #lines: Lines<Asked<Command>, Answer<Event>>
  readonly #attemptsMax: number

  constructor(options: HandlerOptions<State, Command, Event>) {
    const { attemptsMax = 5, waitingMax = 10_000 } = options
    this.#options = options
    this.#memory = new StreamMemory(options)
    this.#attemptsMax = attemptsMax
    const work = (stream: string, asked: readonly Asked<Command>[]) => this.#handleTogether(stream, asked)
    this.#lines = new Lines({ waitingMax, togetherMax: commandsTogetherMax, work })
  }

  /**
   * Decides a command and stores what follows. Commands for one stream are taken in the order they came; those that
   * wait meanwhile share one append, so that a busy stream is not held to one command for each commit. A command id
   * that has stored facts before is answered with those and not decided again.
   * @throws when an event of the stream cannot be read, the store fails, or the race is lost `attemptsMax` times
   */
  async handle(stream: string, command: Command, cause: Cause): Promise<Handled<Event> | Refusal> {
    const answer = this.#lines.join(stream, { command, cause })
    return answer ?? refuse('TOO_MANY_REQUESTS', `too many commands wait for ${stream} already`)
  }

  /** The state of a stream behind everything that is stored now and every command that waits for it. */
  async load(stream: string): Promise<{ version: number; state: State }> {
    return this.#lines.alone(stream, async () => {
      const { held, fresh } = await this.#memory.recall(stream)
      if (!fresh) await this.#memory.catchUp(held)
      return { version: held.version, state: held.state }
    })
  }

  async #handleTogether(stream: string, asked: readonly Asked<Command>[]): Promise<readonly (Answer<Event> | Error)[]> {
    const { clock, decider, schema } = this.#options
    const { held, fresh } = await this.#memory.recall(stream)
    let mayBeStale = !fresh

    for (let racesLost = 0; racesLost < this.#attemptsMax;) {
      const { version, position } = held
      const { outcomes, state, facts, causes } = decideTogether(decider, schema, held, asked)
      if (facts.length === 0) {
        // An append would have met newer events of another process; no answer may come from older ones either.
        const isOverruled = mayBeStale && (await this.#memory.catchUp(held))
        mayBeStale = false
        if (isOverruled) continue
        return this.#answers(held, outcomes, { version, position, stored: [] }, asked)
      }

      const appended = await this.#append(held, facts, causes)
      // The store will not take these facts: alone, only the command that is to blame fails.
      if (appended instanceof RangeError)
        return asked.length === 1 ? [appended] : this.#handleTogether(stream, asked.slice(0, 1))
      if (appended !== 'conflict') {
        this.#memory.advance(held, appended, state)
        return this.#answers(held, outcomes, { version, position, stored: appended }, asked)
      }
      mayBeStale = !(await this.#memory.catchUp(held))
      racesLost += 1
      if (racesLost > 1) await clock.sleep(backoffMs(clock, racesLost - 1, raceBackoff))
    }
    throw new Error(`${stream}: lost the race against other writers ${this.#attemptsMax} times`)
  }

  async #append(held: Held<State>, facts: readonly Event[], causes: readonly Cause[]) {
    try {
      const appended = await this.#options.store.append(held.stream, held.version, facts, causes)
      return appended as readonly Recorded<Event>[] | 'conflict'
    } catch (error) {
      if (error instanceof RangeError) return error
      throw error
    }
  }

  /** Tells each command what came of it, as if it had been alone. */
  async #answers(
    held: Held<State>,
    outcomes: readonly Outcome[],
    { version, position, stored }: { version: number; position: number; stored: readonly Recorded<Event>[] },
    asked: readonly Asked<Command>[],
  ): Promise<readonly (Answer<Event> | Error)[]> {
    const answers: (Answer<Event> | Error)[] = []
    for (const [at, outcome] of outcomes.entries()) {
      switch (outcome.kind) {
        case 'refused':
          answers.push(outcome.refusal)
          break
        case 'failed':
          answers.push(outcome.error instanceof Error ? outcome.error : new Error(String(outcome.error)))
          break
        case 'repeats': {
          const facts = await this.#memory.factsOf(held, outcome.version, asked[at]!.cause.commandId)
          answers.push({ version: held.version, position: held.position, facts })
          break
        }
        case 'facts': {
          const end = outcome.offset + outcome.facts
          const last = stored[end - 1]?.meta ?? { version, position }
          answers.push({
            version: last.version,
            position: last.position,
            facts: stored.slice(outcome.offset, end),
          })
        }
      }
    }
    return answers
  }
}
