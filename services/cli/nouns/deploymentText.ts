import type { DeploymentRow, StepRow, TargetRow, TaskRow } from '#contracts/rows.ts'
import { speakDuration } from '#libs/units.ts'
import type { Context } from '../context.ts'
import { counted, listed, nothing, state } from '../format.ts'
import { lasted, when } from '../time.ts'
import { details, table, type Column } from '../table.ts'

export const deploymentColumns = ({ terminal, clock }: Context): readonly Column<DeploymentRow>[] => [
  { title: 'id', cell: ({ id }) => id },
  { title: 'project', cell: ({ projectId }) => projectId },
  { title: 'version', cell: ({ version }) => version },
  { title: 'environment', cell: ({ environmentId }) => environmentId },
  { title: 'kind', cell: ({ kind }) => kind },
  { title: 'state', cell: (row) => state(row.state) },
  { title: 'targets', align: 'right', cell: ({ targets }) => targets.length },
  { title: 'created', cell: ({ createdAt }) => when(terminal, clock, createdAt) },
  { title: 'took', cell: ({ startedAt, endedAt }) => lasted(clock, startedAt, endedAt) },
  { title: 'reason', cell: (row) => row.reason ?? waitOf(row) ?? '', flexible: true },
]

export const taskColumns = ({ terminal, clock }: Context): readonly Column<TaskRow>[] => [
  { title: 'step', cell: ({ stepId }) => stepId },
  { title: 'machine', cell: ({ machineName }) => machineName, flexible: true },
  { title: 'try', align: 'right', cell: ({ attempt }) => attempt },
  { title: 'state', cell: (row) => state(row.state) },
  { title: 'exit', align: 'right', cell: ({ exitCode }) => exitCode ?? nothing },
  { title: 'dispatched', cell: ({ dispatchedAt }) => when(terminal, clock, dispatchedAt) },
  { title: 'took', cell: ({ durationMs }) => (durationMs === null ? nothing : speakDuration(durationMs)) },
  { title: 'reason', cell: ({ reason }) => reason ?? '', flexible: true },
]

/** Why it waits for others, since that is what one asks of something that does not move. */
function waitOf({ waiting }: DeploymentRow): string | null {
  if (waiting === null) return null
  const { reason, detail, until, position } = waiting
  const place = position === null ? '' : `, at place ${position} of the queue`
  return `${reason}${place}${until === null ? '' : `, until ${until}`}: ${detail}`
}

export function deploymentDetails({ terminal, clock }: Context, row: DeploymentRow): string {
  const { approval } = row
  const known = details(terminal, [
    ['id', row.id],
    ['release', `${row.projectId} ${row.version}`],
    ['environment', row.environmentId],
    ['kind', row.kind],
    ['state', state(row.state)],
    ['reason', row.reason],
    ['priority', row.priority],
    ['starts', row.startAt && when(terminal, clock, row.startAt)],
    ['ignores freezes', row.ignoreFreeze && row.ignoreFreeze.reason],
    ['waits', waitOf(row)],
    ['waits for a person', approval && `${approval.message} (until ${when(terminal, clock, approval.deadlineAt)})`],
    ...movesOf('adds', approval?.change?.added),
    ...movesOf('removes', approval?.change?.removed),
    ...row.decisions.map(({ stepId, machineId, reason, options, deadlineAt }): readonly [string, string] => {
      const until = when(terminal, clock, deadlineAt)
      return ['asks a person', `step ${stepId} on ${machineId}: ${reason}; ${options.join(', ')}? (until ${until})`]
    }),
    ...row.packages.map(({ stepId, name, version, digest }): readonly [string, string] => [
      'brings',
      `${name} ${version} in step ${stepId}, sha256 ${digest}`,
    ]),
    ['has until', row.deadlineAt && when(terminal, clock, row.deadlineAt)],
    ['targets', counted(outcomesOf(row))],
    ['has put in service', row.swap === undefined ? null : listed(row.swap.serving)],
    ['left behind', row.swap === undefined ? null : listed(row.swap.leftBehind)],
    ['created', `${when(terminal, clock, row.createdAt)} by ${row.createdBy}`],
    ['took', lasted(clock, row.startedAt, row.endedAt)],
  ])
  const steps = row.steps.length === 0 ? '' : `\n${table(terminal, stepColumns({ terminal, clock }), row.steps)}`
  const targets = row.targets.length === 0 ? '' : `\n${table(terminal, targetColumns, row.targets)}`
  return known + steps + targets
}

const movesShownMax = 12

/** Who would come or go if a person said yes, and why: the first of them, since there may be thousands. */
function movesOf(what: string, moves: readonly { name: string; reason: string }[] = []): readonly [string, string][] {
  const shown = moves.slice(0, movesShownMax).map(({ name, reason }): [string, string] => [what, `${name}: ${reason}`])
  const more = moves.length - shown.length
  return more > 0 ? [...shown, [what, `${more} more`]] : shown
}

function outcomesOf({ targets }: DeploymentRow): Readonly<Record<string, number>> {
  const grouped = Object.entries(Object.groupBy(targets, ({ outcome }) => outcome))
  return Object.fromEntries(grouped.map(([outcome, those]) => [outcome, those?.length ?? 0]))
}

const stepColumns = ({ terminal, clock }: Pick<Context, 'terminal' | 'clock'>): readonly Column<StepRow>[] => [
  { title: 'step', cell: ({ id }) => id },
  { title: 'name', cell: ({ name }) => name, flexible: true },
  { title: 'state', cell: (row) => state(row.state) },
  { title: 'tasks', cell: ({ tasks }) => counted(tasks) },
  { title: 'took', cell: ({ startedAt, endedAt }) => lasted(clock, startedAt, endedAt) },
  { title: 'has until', cell: ({ deadlineAt }) => when(terminal, clock, deadlineAt) },
  { title: 'reason', cell: ({ reason }) => reason ?? '', flexible: true },
]

const targetColumns: readonly Column<TargetRow>[] = [
  { title: 'machine', cell: ({ machineId }) => machineId },
  { title: 'name', cell: ({ name }) => name, flexible: true },
  { title: 'roles', cell: ({ roles }) => listed(roles), flexible: true },
  { title: 'outcome', cell: ({ outcome }) => state(outcome) },
  { title: 'reason', cell: ({ reason }) => reason ?? '', flexible: true },
]
