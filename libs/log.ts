import { pino, type DestinationStream } from 'pino'
import pretty from 'pino-pretty'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

interface Write {
  (details: object, message: string): void
  (message: string): void
}

/** What a library needs of a logger: say what happened, with its details beside it and never inside the sentence. */
export interface Log {
  readonly trace: Write
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  child(details: Readonly<Record<string, unknown>>): Log
}

/** The last line of defence: details are to be picked by name, but these never come out whatever was picked. */
const secretNames = ['authorization', 'cookie', 'token', 'secret', 'password', 'privateKey', 'adminToken', 'joinToken']
const redact = {
  paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`]),
  censor: '[redacted]',
}

/** What went wrong is told with its message, its stack and what lay behind it: of itself an error turns into `{}`. */
const serializers = { err: pino.stdSerializers.err, error: pino.stdSerializers.err }

/** Credentials of ours wear a prefix, so that they can be found in free text as well, such as an error's message. */
const credential = /\brmd_[a-z]+_[A-Za-z0-9]+_[A-Za-z0-9_-]+/g
export const hideCredentials = (line: string) => line.replaceAll(credential, 'rmd_[redacted]')

/**
 * A logger that writes one JSON object a line, or coloured lines when the output is a terminal.
 * @param name which service or tool speaks
 * @param level the least important level that is still written
 * @param destination where lines go; standard output unless told
 */
export function createLog(name: string, level: LogLevel, destination?: DestinationStream): Log {
  const output =
    destination ?? (process.stdout.isTTY ? pretty({ sync: true, ignore: 'pid,hostname' }) : pino.destination(1))
  return pino({ name, level, redact, serializers, hooks: { streamWrite: hideCredentials } }, output)
}

const ignore = () => {}

/** Says nothing: for tests, and for libraries that are used without a logger. */
export const silentLog: Log = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLog,
}
