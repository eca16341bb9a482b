import type { Command } from 'commander'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { Interrupted } from '../exit.ts'
import { timeout } from '../options.ts'
import type { Query } from '../request.ts'
import { follow } from '../sse.ts'
import { harmless, harmlessLines } from '../terminal.ts'

interface Options {
  readonly follow?: boolean
  readonly timeout?: number
  readonly machine?: string
  readonly step?: string
  readonly raw?: boolean
}

export function addDeploymentLog(deploy: Command, io: Io): void {
  deploy
    .command('log <deployment>')
    .description('what its scripts printed')
    .option('-f, --follow', 'go on until the deployment has ended, also over a restart of the server')
    .option('--machine <machine>', 'only on this one, by name or id')
    .option('--step <id>', 'only of this step')
    .option('--raw', 'as it was printed: colours and control characters, and not where each line is from')
    .addOption(timeout('stop following after this long'))
    .action(action(io, log))
}

async function log(context: Context, options: Options, id: string): Promise<void> {
  const { clock, signal } = context
  const over = new AbortController()
  const timer = options.timeout === undefined ? undefined : clock.timer(options.timeout, () => over.abort())
  try {
    if (options.follow === true) await followed(context, options, id, over.signal)
    else await whole(context, options, id, over.signal)
  } finally {
    timer?.cancel()
  }
  if (signal.aborted) throw new Interrupted(signal.reason)
}

const filterOf = ({ machine, step }: Options): Query => ({ machine, step })

/**
 * The log so far, as text, told as it comes: a log may be larger than the memory. A terminal is spared what would move
 * its cursor, a file gets every byte.
 */
async function whole(context: Context, options: Options, id: string, over: AbortSignal): Promise<void> {
  const { client, terminal, json, signal } = context
  const query = { ...filterOf(options), ...(options.raw === true && { raw: 'true' }) }
  const ends = AbortSignal.any([signal, over])
  const asked = { query, headers: { accept: 'text/plain' } }
  const response = await client.open(path`deployments/${id}/log`, asked, ends)
  if (json) return terminal.out(`${JSON.stringify({ log: await response.text() }, null, 2)}\n`)
  let rest = ''
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const end = (rest + text).lastIndexOf('\n') + 1
    terminal.out(shown(context, options, (rest + text).slice(0, end)))
    rest = (rest + text).slice(end)
  }
  terminal.out(shown(context, options, rest))
}

const shown = ({ terminal }: Context, { raw }: Options, text: string): string =>
  terminal.live && raw !== true ? harmlessLines(text) : text

/** One piece of a task's output, as the stream sends it. It may end in the middle of a line. */
interface Piece {
  readonly taskId: string
  readonly machineName: string
  readonly stepId: string
  readonly attempt?: number
  readonly text: string
}

async function followed(context: Context, asked: Options, id: string, over: AbortSignal): Promise<void> {
  const { client, signal, terminal, json } = context
  const onLost = (why: string) => context.note(`connection lost (${why}); coming back`)
  const isLast = ({ event }: { event: string }) => event === 'end'
  const unfinished = new Map<string, Piece>()
  const options = { query: filterOf(asked), signal: AbortSignal.any([signal, over]), onLost, isLast }
  for await (const { data, event } of follow(client, path`deployments/${id}/log`, options)) {
    if (event === 'end') break
    terminal.out(json ? `${data}\n` : wholeLines(context, asked, unfinished, JSON.parse(data) as Piece))
  }
  for (const piece of unfinished.values()) terminal.out(line(context, asked, piece, piece.text))
}

/** The lines that this piece completes. Machines talk at the same time, and their lines must not mix. */
function wholeLines(context: Context, asked: Options, unfinished: Map<string, Piece>, piece: Piece): string {
  const lines = ((unfinished.get(piece.taskId)?.text ?? '') + piece.text).split('\n')
  const text = lines.pop() ?? ''
  if (text === '') unfinished.delete(piece.taskId)
  else unfinished.set(piece.taskId, { ...piece, text })
  return lines.map((one) => line(context, asked, piece, one)).join('')
}

/** As the log is written when it is read as a whole. */
function line(context: Context, asked: Options, piece: Piece, text: string): string {
  const { machineName, stepId, attempt = 1 } = piece
  if (asked.raw === true) return `${text}\n`
  const from = `[${harmless(machineName)} ${harmless(stepId)}${attempt > 1 ? ` #${attempt}` : ''}]`
  return `${context.terminal.style('dim', from)} ${shown(context, asked, text)}\n`
}
