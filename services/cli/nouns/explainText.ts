import type { Link, Silence } from '#contracts/fleetRows.ts'
import { speakDuration } from '#libs/units.ts'
import type { Context } from '../context.ts'
import { nothing, state } from '../format.ts'
import { when } from '../time.ts'
import { details, table, type Cell, type Column } from '../table.ts'

/** What policy said last of a machine, as `GET machines/:id/explain` tells it. */
interface Verdict {
  readonly verdict: string
  readonly clause: string | null
  readonly detail: string | null
  readonly at: string
}

interface Standing {
  readonly projectId: string
  /** Whether the machine has what it should have, or the first clause that says why it need not. */
  readonly because: string
  readonly desired: { readonly version: string; readonly because: string } | null
  readonly installed: { readonly version: string } | null
  readonly verdict: Verdict | null
}

/** One thing that must be so before policy removes a machine, and whether it is. */
interface Clause {
  readonly clause: string
  readonly holds: boolean
  readonly detail: string
  readonly clearsAt: number | null
}

/** What policy would say of the machine's removal at this moment; `clauses` is null when policy does not answer. */
interface RemovalNow {
  readonly clauses: { readonly removable: boolean; readonly clauses: readonly Clause[] } | null
  readonly reason: string | null
}

export interface Explanation {
  readonly machineId: string
  readonly name: string
  readonly environmentId: string
  readonly state: readonly string[]
  readonly silence: Silence | null
  readonly removal: Verdict | null
  readonly removalNow: RemovalNow
  readonly chain: readonly Link[]
  readonly projects: readonly Standing[]
}

/** A machine that is to have another release than it has, as `GET convergence` tells it. */
export interface Lagging {
  readonly machineId: string
  readonly name: string
  readonly environmentId: string
  readonly status: string
  readonly projectId: string
  readonly desired: string
  readonly installed: string | null
  readonly since: string
}

export function explained(context: Context, why: Explanation): string {
  const { terminal } = context
  const told = (verdict: Verdict | null) => verdict && said(context, verdict)
  const known = details(terminal, [
    ['machine', `${why.name} (${why.machineId}) in ${why.environmentId}`],
    ...why.state.map((sentence, at) => [at === 0 ? 'state' : '', sentence] as const),
    ['gone', why.silence && `${speakDuration(why.silence.goneMs)}, observed ${speakDuration(why.silence.observedMs)}`],
    ['removal', told(why.removal)],
    ['removal now', why.removalNow.reason ?? removalNow(why.removalNow)],
  ])
  const projects =
    why.projects.length === 0
      ? 'There is no project to say anything of.\n'
      : table(terminal, standingColumns(context), why.projects)
  return [known, clausesOf(context, why), chainOf(context, why), projects].filter((part) => part !== '').join('\n')
}

const removalNow = ({ clauses }: RemovalNow): Cell =>
  clauses?.removable === true ? { text: 'due', style: 'yellow' } : 'not due'

/** Every clause that must hold before the machine is removed: why it is, or is not. */
const clausesOf = ({ terminal, clock }: Context, { removalNow: now }: Explanation): string => {
  const columns: readonly Column<Clause>[] = [
    { title: 'removed only if', cell: ({ clause }) => clause },
    {
      title: 'is so',
      cell: ({ holds }) => (holds ? { text: 'yes', style: 'green' } : { text: 'no', style: 'yellow' }),
    },
    { title: 'because', cell: ({ detail }) => detail, flexible: true },
    { title: 'clears', cell: ({ clearsAt }) => when(terminal, clock, clearsAt === null ? null : iso(clearsAt)) },
  ]
  return now.clauses === null ? '' : table(terminal, columns, now.clauses.clauses)
}

const iso = (ms: number) => new Date(ms).toISOString()

/** From what made the machine so, back to who or what began it. */
const chainOf = ({ terminal, clock }: Context, { chain }: Explanation): string => {
  const columns: readonly Column<Link>[] = [
    { title: 'because of', cell: ({ type }) => type },
    { title: 'when', cell: ({ at }) => when(terminal, clock, at) },
    { title: 'by', cell: ({ actor }) => actor },
    { title: 'position', align: 'right', cell: ({ position }) => position },
    { title: 'which says', cell: ({ sentence }) => sentence, flexible: true },
  ]
  return chain.length === 0 ? '' : table(terminal, columns, chain)
}

const said = ({ terminal, clock }: Context, { verdict, clause, detail, at }: Verdict): string => {
  const why = [clause, detail].filter((text) => text !== null).join(', ')
  return `${verdict}${why === '' ? '' : ` (${why})`}, ${when(terminal, clock, at)}`
}

const standingColumns = (context: Context): readonly Column<Standing>[] => [
  { title: 'project', cell: ({ projectId }) => projectId },
  { title: 'installed', cell: ({ installed }) => installed?.version ?? nothing },
  { title: 'desired', cell: ({ desired }) => (desired === null ? nothing : `${desired.version} (${desired.because})`) },
  { title: 'because', cell: ({ because }) => standing(because) },
  {
    title: 'policy said',
    cell: ({ verdict }) => (verdict === null ? nothing : said(context, verdict)),
    flexible: true,
  },
]

const standing = (because: string): Cell => {
  if (because === 'converged') return { text: because, style: 'green' }
  return because === 'not-converged' ? { text: because, style: 'yellow' } : because
}

export function laggards({ terminal, clock }: Context, rows: readonly Lagging[]): string {
  if (rows.length === 0) return 'Every machine has the releases that it should have.\n'
  const columns: readonly Column<Lagging>[] = [
    { title: 'id', cell: ({ machineId }) => machineId },
    { title: 'name', cell: ({ name }) => name, flexible: true },
    { title: 'environment', cell: ({ environmentId }) => environmentId },
    { title: 'status', cell: ({ status }) => state(status) },
    { title: 'project', cell: ({ projectId }) => projectId },
    { title: 'installed', cell: ({ installed }) => installed ?? nothing },
    { title: 'desired', cell: ({ desired }) => desired },
    { title: 'since', cell: ({ since }) => when(terminal, clock, since) },
  ]
  return table(terminal, columns, rows)
}
