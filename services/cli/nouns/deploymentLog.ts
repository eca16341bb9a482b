import type { Command } from 'commander'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { Interrupted } from '../exit.ts'
import { timeout } from '../options.ts'
import { follow } from '../sse.ts'
import { harmless, harmlessLines } from '../terminal.ts'

interface Options {
  readonly follow?: boolean
  readonly timeout?: number
}

export function addDeploymentLog(deploy: Command, io: Io): void {
  deploy
    .command('log <deployment>')
    .description('what its scripts printed')
    .option('-f, --follow', 'go on until the deployment has ended')
    .addOption(timeout('stop following after this long'))
    .action(action(io, log))
}

async function log(context: Context, options: Options, id: string): Promise<void> {
  const { clock, signal } = context
  const over = new AbortController()
  const timer = options.timeout === undefined ? undefined : clock.timer(options.timeout, () => over.abort())
  try {
    if (options.follow === true) await followed(context, id, over.signal)
    else await whole(context, id, over.signal)
  } finally {
    timer?.cancel()
  }
  if (signal.aborted) throw new Interrupted(signal.reason)
}

/** The log so far, as text: a terminal is spared what would move its cursor, a file gets every byte. */
async function whole({ client, terminal, json }: Context, id: string, ends: AbortSignal): Promise<void> {
  const response = await client.open(path`deployments/${id}/log`, { headers: { accept: 'text/plain' } }, ends)
  const text = await response.text()
  if (json) return terminal.out(`${JSON.stringify({ log: text }, null, 2)}\n`)
  terminal.out(terminal.live ? harmlessLines(text) : text)
}

/** One piece of a task's output, as the stream sends it. It may end in the middle of a line. */
interface Piece {
  readonly taskId: string
  readonly machineName: string
  readonly stepId: string
  readonly text: string
}

async function followed(context: Context, id: string, over: AbortSignal): Promise<void> {
  const { client, signal, terminal, json } = context
  const onLost = (why: string) => context.note(`connection lost (${why}); coming back`)
  const isLast = ({ event }: { event: string }) => event === 'end'
  const unfinished = new Map<string, Piece>()
  const options = { signal: AbortSignal.any([signal, over]), onLost, isLast }
  for await (const { data, event } of follow(client, path`deployments/${id}/log`, options)) {
    if (event === 'end') break
    terminal.out(json ? `${data}\n` : wholeLines(context, unfinished, JSON.parse(data) as Piece))
  }
  for (const piece of unfinished.values()) terminal.out(line(context, piece, piece.text))
}

/** The lines that this piece completes. Machines talk at the same time, and their lines must not mix. */
function wholeLines(context: Context, unfinished: Map<string, Piece>, piece: Piece): string {
  const lines = ((unfinished.get(piece.taskId)?.text ?? '') + piece.text).split('\n')
  const text = lines.pop() ?? ''
  if (text === '') unfinished.delete(piece.taskId)
  else unfinished.set(piece.taskId, { ...piece, text })
  return lines.map((one) => line(context, piece, one)).join('')
}

/** As the log is written when it is read as a whole. */
function line({ terminal }: Context, { machineName, stepId }: Piece, text: string): string {
  const from = terminal.style('dim', `[${harmless(machineName)} ${harmless(stepId)}]`)
  return `${from} ${terminal.live ? harmlessLines(text) : text}\n`
}
