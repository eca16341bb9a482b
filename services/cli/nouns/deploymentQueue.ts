import type { Command } from 'commander'
import type { DeploymentRow } from '#contracts/rows.ts'
import { action, type Context, type Io } from '../context.ts'
import { nothing, state } from '../format.ts'
import { watchable, type WatchOptions } from '../options.ts'
import { table, type Column } from '../table.ts'
import { when } from '../time.ts'
import { view } from '../view.ts'

interface Options extends WatchOptions {
  readonly environment?: string
  readonly project?: string
}

export function addDeploymentQueue(deploy: Command, io: Io): void {
  const queue = deploy
    .command('queue')
    .description('what waits to start, in which order and for what, and what runs before it')
    .option('--environment <id>', 'to this environment')
    .option('--project <id>', 'of this project')
  watchable(queue).action(
    action(io, (context, { environment, project, ...options }: Options) => {
      const load = () => inLine(context, { environment, project })
      const human = ({ items }: { items: readonly DeploymentRow[] }) =>
        items.length === 0 ? 'Nothing waits to start.\n' : table(context.terminal, columns(context), items)
      return view(context, options, load, human)
    }),
  )
}

/** All that waits to start, each line behind what runs in it. */
async function inLine({ client }: Context, filter: { environment?: string | undefined; project?: string | undefined }) {
  const having = (one: DeploymentRow['state']) =>
    Array.fromAsync(client.rows<DeploymentRow>('deployments', { ...filter, state: one, limit: 200 }))
  const queued = await having('queued')
  const lines = new Set(queued.map(lineOf))
  const before = [...(await having('running')), ...(await having('waiting'))].filter((row) => lines.has(lineOf(row)))
  return { items: [...before, ...queued].sort((a, b) => lineOf(a).localeCompare(lineOf(b)) || placeOf(a) - placeOf(b)) }
}

const lineOf = ({ environmentId, projectId }: DeploymentRow) => `${environmentId} ${projectId}`

/** What runs is before all, and what is to start later behind them. */
function placeOf({ state: stands, waiting }: DeploymentRow): number {
  if (stands !== 'queued') return 0
  return waiting?.position ?? Number.MAX_SAFE_INTEGER
}

const columns = ({ terminal, clock }: Context): readonly Column<DeploymentRow>[] => [
  { title: 'environment', cell: ({ environmentId }) => environmentId },
  { title: 'project', cell: ({ projectId }) => projectId },
  { title: 'place', align: 'right', cell: (row) => row.waiting?.position ?? nothing },
  { title: 'version', cell: ({ version }) => version },
  { title: 'state', cell: (row) => state(row.state) },
  { title: 'priority', align: 'right', cell: ({ priority }) => priority },
  { title: 'until', cell: ({ waiting }) => when(terminal, clock, waiting?.until ?? null) },
  {
    title: 'waits',
    cell: ({ waiting }) => (waiting === null ? '' : `${waiting.reason}: ${waiting.detail}`),
    flexible: true,
  },
  { title: 'id', cell: ({ id }) => id },
]
