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

export interface Explanation {
  readonly machineId: string
  readonly name: string
  readonly environmentId: string
  readonly state: readonly string[]
  readonly removal: Verdict | null
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
    ['removal', told(why.removal)],
  ])
  if (why.projects.length === 0) return `${known}\nThere is no project to say anything of.\n`
  return `${known}\n${table(terminal, standingColumns(context), why.projects)}`
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
