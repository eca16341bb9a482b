import type { Log, LogLevel } from '#libs/log.ts'

export interface CollectingLog extends Log {
  /** What was said, as sentences. */
  readonly lines: string[]
  linesOf(level: LogLevel): readonly string[]
}

/** A log that keeps what it is told, for tests of what is said. */
export function collectingLog(): CollectingLog {
  const entries: { level: LogLevel; message: string }[] = []
  const lines: string[] = []
  const write = (level: LogLevel) => (first: object | string, second?: string) => {
    const message = typeof first === 'string' ? first : (second ?? '')
    entries.push({ level, message })
    lines.push(message)
  }
  const log: CollectingLog = {
    lines,
    linesOf: (level) => entries.filter((entry) => entry.level === level).map(({ message }) => message),
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  }
  return log
}
