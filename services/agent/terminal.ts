import { inspect } from 'node:util'
import type { Clock } from '#libs/clock.ts'
import type { Log, LogLevel } from '#libs/log.ts'

const levels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

/** Credentials of ours wear a prefix, so that they are found wherever they stand. */
const credential = /\brmd_[a-z]+_[A-Za-z0-9-]+_[A-Za-z0-9_-]+/g

/**
 * Says what happens in one line each, as a person or a journal of the system reads it.
 * @param write takes a line with its line break
 */
export function terminalLog(clock: Clock, level: LogLevel, write: (line: string) => void): Log {
  const speak = (own: Exclude<LogLevel, 'silent'>, fixed: object) => {
    const isSilent = levels.indexOf(own) < levels.indexOf(level)
    return (details: object | string, message?: string) => {
      if (isSilent) return
      const sentence = typeof details === 'string' ? details : (message ?? '')
      const all = { ...fixed, ...(typeof details === 'string' ? {} : details) }
      const rest = Object.entries(all).map(([name, value]) => `${name}=${show(value)}`)
      const line = [new Date(clock.wallMs()).toISOString(), own.toUpperCase().padEnd(5), sentence, ...rest].join(' ')
      write(`${line.replaceAll(credential, 'rmd_[redacted]')}\n`)
    }
  }
  const make = (fixed: object): Log => ({
    trace: speak('trace', fixed),
    debug: speak('debug', fixed),
    info: speak('info', fixed),
    warn: speak('warn', fixed),
    error: speak('error', fixed),
    child: (details) => make({ ...fixed, ...details }),
  })
  return make({})
}

const show = (value: unknown): string => {
  if (value instanceof Error) return JSON.stringify(value.stack ?? value.message)
  return typeof value === 'string' ? value : inspect(value, { breakLength: Infinity })
}
