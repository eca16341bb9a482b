import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import type { Clock } from '#libs/clock.ts'
import { createClient, type Client, type Reply } from './client.ts'
import { CliError, exits, type Exit } from './exit.ts'
import { createTerminal, type Terminal } from './terminal.ts'

/** What a command gets from the process that runs it. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly clock: Clock
  /** Aborts when the person gives up. */
  readonly signal: AbortSignal
  exit: Exit
}

/** What every command works with. */
export interface Context {
  readonly client: Client
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly terminal: Terminal
  readonly json: boolean
  /** Shows an answer: exactly as the API gave it, or in words. */
  show<Body>(body: Body, human: (body: Body) => string): void
  /** Says that a change was made; its answer for programs, a sentence for people. */
  done(reply: Reply<unknown>, sentence: string): void
  /** Says something beside the answer, on standard error. */
  note(text: string): void
}

interface Globals {
  readonly server?: string
  readonly token?: string
  readonly output: 'table' | 'json'
  readonly color: boolean
  readonly idempotencyKey?: string
}

const serverUnlessTold = 'http://127.0.0.1:4780'

export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(new Option('--server <url>', `the server (REMUDA_SERVER, or ${serverUnlessTold})`))
    .addOption(
      new Option('--token <token>', 'the credential; better in REMUDA_API_TOKEN, where no process list shows it'),
    )
    .addOption(
      new Option('-o, --output <form>', 'for people or for programs').choices(['table', 'json']).default('table'),
    )
    .addOption(new Option('--no-color', 'no colours, as with NO_COLOR'))
    .addOption(new Option('--idempotency-key <key>', 'makes a repeat of this command the same request'))
}

function createContext(io: Io, command: Command): Context {
  const globals = command.optsWithGlobals<Globals>()
  const server = serverOf(given(globals.server) ?? given(io.env.REMUDA_SERVER) ?? serverUnlessTold)
  const token = given(globals.token) ?? given(io.env.REMUDA_API_TOKEN) ?? adminToken(server, io.env)
  const { clock, signal } = io
  const client = createClient({
    server: server.href.replace(/\/+$/, ''),
    token,
    clock,
    signal,
    idempotencyKey: globals.idempotencyKey,
  })
  const terminal = createTerminal(io, globals.color)
  const json = globals.output === 'json'
  const note = (text: string) => terminal.err(`${text}\n`)
  if (token !== null && server.protocol === 'http:' && !isLocal(server)) note(inTheClear(server))

  const print = (body: unknown) => terminal.out(`${JSON.stringify(body, null, 2)}\n`)
  return {
    client,
    clock,
    signal,
    terminal,
    json,
    note,
    show: (body, human) => (json ? print(body) : terminal.out(human(body))),
    done: ({ body }, sentence) => (json ? print(body) : terminal.out(`${sentence}\n`)),
  }
}

type Run<Options, Args extends readonly unknown[]> = (
  context: Context,
  options: Options,
  ...args: Args
) => Promise<Exit | void>

/** Makes a commander action of a command: its context, its options, then its arguments. */
export const action =
  <Options, Args extends readonly unknown[]>(io: Io, run: Run<Options, Args>) =>
  async (...passed: unknown[]): Promise<void> => {
    const command = passed.at(-1) as Command
    const args = passed.slice(0, -2) as unknown as Args
    io.exit = (await run(createContext(io, command), command.opts() as Options, ...args)) ?? exits.ok
  }

// A variable that is set to nothing is how unit files and compose files say "not set".
const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

function serverOf(text: string): URL {
  const server = URL.parse(text)
  if (server !== null && /^https?:$/.test(server.protocol)) return server
  const what = `"${text}" is not the address of a server.`
  throw new CliError(
    exits.configuration,
    'SERVER_INVALID',
    what,
    `give --server or REMUDA_SERVER as ${serverUnlessTold}`,
  )
}

const isLocal = ({ hostname }: URL): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

const inTheClear = ({ host }: URL) => `warning: the credential goes to ${host} unencrypted; use https`

/** The token that a server on this machine made at its first start, for whoever may read its data folder. */
function adminToken(server: URL, env: Io['env']): string | null {
  if (!isLocal(server)) return null
  try {
    return readFileSync(join(given(env.REMUDA_DATA) ?? 'data', 'admin-token'), 'utf8').trim()
  } catch {
    // Without a credential the server says what it needs one for, which is clearer than a file that is not there.
    return null
  }
}
