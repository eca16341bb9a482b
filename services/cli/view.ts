import type { Page } from './client.ts'
import type { Context } from './context.ts'
import { CliError, exits, Interrupted } from './exit.ts'
import { Unreachable } from './failure.ts'
import type { ListOptions, WatchOptions } from './options.ts'
import type { Query } from './request.ts'
import { table, type Column } from './table.ts'

/** Shows an answer once, or again and again until told to stop. */
export async function view<Body>(
  context: Context,
  options: WatchOptions,
  load: () => Promise<Body>,
  human: (body: Body) => string,
): Promise<void> {
  if (options.watch !== true) return context.show(await load(), human)
  const draw = context.json ? drawJson(context) : context.terminal.live ? redraw(context) : drawChanges(context)
  const deadline = createDeadline(context, options.timeout)
  while (!deadline.passed()) {
    const body = await load().catch((error: unknown) => excuse(context, error))
    if (body !== null) draw(body, human)
    await context.clock.sleep(Math.min(options.every, deadline.restMs()), context.signal)
  }
}

/** A server that is away for a moment is no reason to stop watching it; any other mistake is. */
function excuse(context: Context, error: unknown): null {
  if (!(error instanceof Unreachable)) throw error
  context.note(`${error.message} Trying again.`)
  return null
}

type Draw = <Body>(body: Body, human: (body: Body) => string) => void

function drawJson({ terminal }: Context): Draw {
  let before = ''
  return (body) => {
    const text = JSON.stringify(body)
    if (text !== before) terminal.out(`${text}\n`)
    before = text
  }
}

const clear = '\u001b[2J'
const [home, eraseLine, eraseBelow] = ['\u001b[H', '\u001b[K', '\u001b[J']
const [wrapOff, wrapOn] = ['\u001b[?7l', '\u001b[?7h']

/**
 * From the top left corner, line over line, so that nothing flickers and nothing old is left. What is wider than the
 * terminal ends at its edge: a line that went on in the next would push the others out of their places.
 */
function redraw({ terminal }: Context): Draw {
  terminal.out(clear)
  return (body, human) => {
    const lines = human(body)
      .trimEnd()
      .split('\n')
      .slice(0, terminal.rows - 1)
    const drawn = lines.map((line) => `${line}${eraseLine}\n`).join('')
    terminal.out(`${home}${wrapOff}${drawn}${wrapOn}${eraseBelow}`)
  }
}

/** Only lines that were not there before. Widths of columns come and go and are no change. */
function drawChanges({ terminal }: Context): Draw {
  let before = new Set<string>()
  return (body, human) => {
    const lines = human(body).trimEnd().split('\n')
    const known = (line: string) => before.has(line.replaceAll(/\s+/g, ' '))
    terminal.out(lines.flatMap((line) => (known(line) ? [] : [`${line}\n`])).join(''))
    before = new Set(lines.map((line) => line.replaceAll(/\s+/g, ' ')))
  }
}

export interface Deadline {
  /** @throws Interrupted when the person gave up */
  passed(): boolean
  restMs(): number
}

const unlimitedMs = 365 * 86_400_000

/** @param limitMs how long something may take from now; a year unless told, since everything ends at some time */
export function createDeadline({ clock, signal }: Context, limitMs = unlimitedMs): Deadline {
  const endMs = clock.steadyMs() + limitMs
  const restMs = () => Math.max(0, endMs - clock.steadyMs())
  return {
    restMs,
    passed() {
      if (signal.aborted) throw new Interrupted(signal.reason)
      return restMs() === 0
    },
  }
}

export const timedOut = (what: string, next: string): CliError => new CliError(exits.timedOut, 'TIMEOUT', what, next)

/** Shows a list: one page of it, or all of it. */
export async function viewList<Row>(
  context: Context,
  options: ListOptions & Partial<WatchOptions>,
  source: {
    readonly path: string
    readonly query?: Query
    readonly columns: readonly Column<Row>[]
    readonly none: string
  },
): Promise<void> {
  const query = { ...source.query, limit: options.limit, cursor: options.cursor }
  const load = (): Promise<Page<Row>> =>
    options.all === true
      ? wholeList<Row>(context, source.path, query)
      : context.client.get<Page<Row>>(source.path, query)
  const human = ({ items, next }: Page<Row>) => {
    if (next !== null) context.note(`There are more: --all, or --cursor ${next}`)
    return items.length === 0 ? `${source.none}\n` : table(context.terminal, source.columns, items)
  }
  await view(context, { every: 0, ...options }, load, human)
}

const wholeList = async <Row>({ client }: Context, address: string, query: Query): Promise<Page<Row>> => ({
  items: await Array.fromAsync(client.rows<Row>(address, { ...query, limit: 200 })),
  next: null,
})
