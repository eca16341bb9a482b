const defaultPort = 4780
const portMax = 65_535

export const usage = `remuda demo [--distributed] [--exit] [--port N]

Plays both scenarios with a real server and real agents on this machine, and checks that each promised fact is true.
  --distributed  run every service in two processes of its own, with NATS and PostgreSQL between them, and play a third
                 chapter in which they are killed; nats-server and PostgreSQL must be installed
  --exit         end when it is over; the exit code is 0 only when every fact held
  --port N       the server's port (default: any that is free)
`

export interface Wanted {
  readonly isDistributed: boolean
  readonly endsByItself: boolean
  /** 0 for any that is free. */
  readonly port: number
}

/** Reads the command line; null when it cannot be understood. */
export function readWords(argv: readonly string[]): Wanted | null {
  const at = argv.indexOf('--port')
  const port = at < 0 ? 0 : Number(argv[at + 1] ?? defaultPort)
  const words = new Set(argv.filter((_, index) => at < 0 || (index !== at && index !== at + 1)))
  const wanted = { isDistributed: words.delete('--distributed'), endsByItself: words.delete('--exit'), port }
  return words.size === 0 && Number.isInteger(port) && port >= 0 && port <= portMax ? wanted : null
}
