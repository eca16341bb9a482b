import { silentLog, type Log } from '#libs/log.ts'
import type { Context } from './context.ts'

const examplesMax = 3

/** A warning that hides a fault: a handler of a command threw. */
const fault = 'a request failed'

/** Counts what the services complain of, by sentence, with a few examples of why. */
export class SpokenLog {
  readonly errors = new Map<string, { count: number; readonly examples: string[] }>()

  of(context: Context): Log {
    const log: Log = {
      ...silentLog,
      error: (first: object | string, second?: string) => context.isDead || this.#note(first, second),
      warn: (first: object | string, second?: string) =>
        context.isDead || second !== fault || this.#note(first, second),
      child: () => log,
    }
    return log
  }

  #note(first: object | string, second?: string): void {
    const sentence = second ?? String(first)
    const noted = this.errors.get(sentence) ?? { count: 0, examples: [] }
    this.errors.set(sentence, noted)
    noted.count += 1
    if (noted.examples.length < examplesMax && typeof first === 'object') noted.examples.push(describe(first))
  }
}

const describe = (details: object): string =>
  Object.entries(details)
    .map(([name, value]) => `${name}=${value instanceof Error ? value.message : JSON.stringify(value)}`)
    .join(' ')
