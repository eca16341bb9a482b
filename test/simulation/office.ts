import type { Answer, ServiceName } from '#contracts/command.ts'
import type { Message } from '#contracts/message.ts'
import type { Context } from './context.ts'
import type { Server } from './server.ts'

const giveUpMs = 30 * 60_000
const againMinMs = 1_000
const againMaxMs = 20_000
export const operator = 'user:operator'

/** What was asked for and what is known to have come of it: `null` when nobody answered. */
export interface Asked {
  readonly commandId: string
  readonly type: string
  readonly answer: Answer | null
  /** How many events there were when the answer came. */
  readonly head: number
}

/** Sends commands as a person's tools do: again, under the same id, until there is an answer. Keeps a book of them. */
export class Office {
  readonly #stage: Context
  readonly #server: Server
  readonly #head: () => number
  readonly book: Asked[] = []
  readonly #nextAnswer: (() => void)[] = []

  constructor(stage: Context, server: Server, head: () => number) {
    this.#stage = stage
    this.#server = server
    this.#head = head
  }

  /** Calls back when the next command has been answered. */
  onNextAnswer(act: () => void): void {
    this.#nextAnswer.push(act)
  }

  async send(service: ServiceName, type: string, data: object): Promise<Answer | null> {
    const { clock, dice } = this.#stage
    const commandId = clock.id()
    const cause = { actor: operator, commandId, correlationId: commandId, causationId: null }
    const message: Message = { type, data }
    const untilMs = clock.steadyMs() + giveUpMs
    let answer: Answer | null = null
    while (answer === null && clock.steadyMs() < untilMs) {
      answer = await this.#server.ask(service, message, cause).catch(() => null)
      if (answer === null) await clock.sleep(againMinMs + dice.chance() * againMaxMs)
    }
    this.book.push({ commandId, type, answer, head: this.#head() })
    for (const act of this.#nextAnswer.splice(0)) act()
    return answer
  }

  /** Sends what the rest depends on: it has to be accepted. */
  async must(service: ServiceName, type: string, data: object): Promise<void> {
    const answer = await this.send(service, type, data)
    if (answer === null || 'refused' in answer) throw new Error(`${type} was not accepted: ${JSON.stringify(answer)}`)
  }
}
