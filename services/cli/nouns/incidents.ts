import { Option, type Command } from 'commander'
import type { IncidentRow, ObservationGapRow } from '#contracts/fleetRows.ts'
import { speakDuration } from '#libs/units.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { listed, nothing, share } from '../format.ts'
import { paged, watchable, type ListOptions, type WatchOptions } from '../options.ts'
import { details, type Cell, type Column } from '../table.ts'
import { when } from '../time.ts'
import { view, viewList } from '../view.ts'

interface Filters {
  readonly environment?: string
  readonly state?: string
}

/** What went wrong with many machines at once, and when Remuda itself did not look. */
export function addIncidents(program: Command, io: Io): void {
  const incident = program.command('incident').description('mass failures, and times in which nobody looked')
  const list = incident
    .command('list')
    .description('machines that went silent together, the latest first')
    .option('--environment <id>', 'of this environment')
    .addOption(new Option('--state <state>', 'only these').choices(['open', 'closed']))
  watchable(paged(list)).action(
    action(io, (context, { environment, state, ...options }: Filters & ListOptions & WatchOptions) =>
      viewList<IncidentRow>(context, options, {
        path: 'incidents',
        query: { environment, state },
        columns: columns(context),
        none: 'No mass failure that this list asks for.',
      }),
    ),
  )
  watchable(incident.command('get <incident>').description('one of them')).action(
    action(io, (context, options: WatchOptions, id: string) =>
      view(
        context,
        options,
        () => context.client.get<IncidentRow>(path`incidents/${id}`),
        (row) => shown(context, row),
      ),
    ),
  )
  watchable(paged(incident.command('gaps').description('when machines were not observed, the latest first'))).action(
    action(io, (context, options: ListOptions & WatchOptions) =>
      viewList<ObservationGapRow>(context, options, {
        path: 'observation-gaps',
        columns: gapColumns(context),
        none: 'Remuda has been looking without a break.',
      }),
    ),
  )
  incident.addHelpText('after', help)
}

const stateOf = ({ state }: IncidentRow): Cell => (state === 'open' ? { text: state, style: 'red' } : state)
const whereOf = ({ environmentId, domain }: IncidentRow): string =>
  domain === null ? environmentId : `${environmentId}, ${domain.attribute} ${domain.value}`

const columns = ({ terminal, clock }: Context): readonly Column<IncidentRow>[] => [
  { title: 'id', cell: ({ id }) => id },
  { title: 'where', cell: whereOf, flexible: true },
  { title: 'state', cell: stateOf },
  { title: 'detected', cell: ({ detectedAt }) => when(terminal, clock, detectedAt) },
  { title: 'cleared', cell: ({ clearedAt }) => when(terminal, clock, clearedAt) },
  { title: 'silent', align: 'right', cell: ({ silent }) => silent.count },
  { title: 'share', align: 'right', cell: (row) => share(row.share) },
  { title: 'held back', align: 'right', cell: ({ held }) => held.count },
]

const shown = ({ terminal, clock }: Context, row: IncidentRow): string =>
  details(terminal, [
    ['id', row.id],
    ['where', whereOf(row)],
    ['state', stateOf(row)],
    ['detected', when(terminal, clock, row.detectedAt)],
    ['cleared', row.clearedAt && `${when(terminal, clock, row.clearedAt)} (${row.clearedBy})`],
    [
      'reading',
      `${row.unavailable} of ${row.registered} (${share(row.share)}), guard from ${share(row.thresholdShare)}`,
    ],
    ['policy version', row.policyVersion],
    ['silent together', listed(row.silent.machineIds)],
    ['held back', listed(row.held.machineIds)],
  ])

const gapColumns = ({ terminal, clock }: Context): readonly Column<ObservationGapRow>[] => [
  { title: 'observer', cell: ({ observer }) => observer },
  { title: 'reason', cell: ({ reason }) => reason },
  { title: 'from', cell: ({ startedAt }) => when(terminal, clock, startedAt) },
  { title: 'to', cell: ({ endedAt }) => when(terminal, clock, endedAt) },
  { title: 'lasted', cell: lasted },
]

const lasted = ({ startedAt, endedAt }: ObservationGapRow): string =>
  endedAt === null ? nothing : speakDuration(Date.parse(endedAt) - Date.parse(startedAt))

const help = `
A mass failure holds removals back until the machines answer. To let some go: remuda env release-withheld.

Examples:
  remuda incident list --state open --watch
  remuda incident gaps`
