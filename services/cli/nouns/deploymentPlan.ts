import type { Command } from 'commander'
import type { PlanChange, PlanDifference, PlanMove, PlanReply, PlanStep } from '#contracts/planRows.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { listed, nothing } from '../format.ts'
import { watchable, type WatchOptions } from '../options.ts'
import { details, table, type Column } from '../table.ts'
import { when } from '../time.ts'
import { whole } from '../values.ts'
import { view } from '../view.ts'

interface Options extends WatchOptions {
  readonly against?: number
}

const version = whole(1, 1_000_000)
const namesShownMax = 12

export function addDeploymentPlan(deploy: Command, io: Io): void {
  const plan = deploy
    .command('plan <deployment>')
    .argument('[version]', 'as it stood in this version; as it stands unless told', version)
    .description('which machines each step is for, and how that came about')
    .option('--against <version>', 'what differs from this version, not from the one before', version)
  watchable(plan).action(
    action(io, (context, { against, ...options }: Options, id: string, asked?: number) => {
      const query = { version: asked, against }
      const load = () => context.client.get<PlanReply>(path`deployments/${id}/plan`, query)
      return view(context, options, load, (reply) => planText(context, reply))
    }),
  )
}

function planText(context: Context, plan: PlanReply): string {
  const { terminal, clock } = context
  const { version: shown, latestVersion, at, targets, steps, changes, difference } = plan
  const known = details(terminal, [
    ['deployment', plan.deploymentId],
    ['version', shown === latestVersion ? `${shown}, as it stands` : `${shown} of ${latestVersion}, as it stood`],
    ['since', when(terminal, clock, at)],
    ['targets', targets.length === 0 ? nothing : `${targets.length}: ${namesOf(targets)}`],
  ])
  const names = new Map(targets.map(({ machineId, name }) => [machineId, name]))
  const parts = [
    known,
    table(terminal, stepColumns(names), steps),
    table(terminal, changeColumns(context), changes),
    differenceText(context, difference),
  ]
  return parts.filter((part) => part !== '').join('\n')
}

/** The first of them, and how many more there are: a plan may be for thousands. */
function namesOf(machines: readonly { readonly name: string }[]): string {
  const first = machines.slice(0, namesShownMax).map(({ name }) => name)
  const more = machines.length - first.length
  return listed(more > 0 ? [...first, `${more} more`] : first)
}

const stepColumns = (names: ReadonlyMap<string, string>): readonly Column<PlanStep>[] => {
  const named = (ids: readonly string[]) => ids.map((id) => ({ name: names.get(id) ?? id }))
  return [
    { title: 'step', cell: ({ id }) => id },
    { title: 'kind', cell: ({ kind }) => kind },
    { title: 'group', align: 'right', cell: ({ group }) => group + 1 },
    { title: 'machines', align: 'right', cell: ({ machineIds }) => machineIds.length || nothing },
    { title: 'first', cell: ({ canary }) => (canary === null ? nothing : namesOf(named(canary))), flexible: true },
    { title: 'left out', cell: ({ skipped }) => skipped ?? '', flexible: true },
  ]
}

const changeColumns = ({ terminal, clock }: Context): readonly Column<PlanChange>[] => [
  { title: 'version', align: 'right', cell: ({ version: made }) => made },
  { title: 'at', cell: ({ at }) => when(terminal, clock, at) },
  { title: 'by', cell: ({ actor }) => actor, flexible: true },
  { title: 'why', cell: ({ why }) => why, flexible: true },
]

interface Difference {
  readonly sign: string
  readonly what: string
  readonly version: number | null
  readonly reason: string | null
}

function differenceText({ terminal }: Context, { against, added, removed, notLetIn, steps }: PlanDifference): string {
  const moved = (sign: string) => (one: PlanMove) => ({
    sign,
    what: one.name,
    version: one.version,
    reason: one.reason,
  })
  const lines: readonly Difference[] = [
    ...added.map(moved('+')),
    ...removed.map(moved('-')),
    ...notLetIn.map(moved('x')),
    ...steps.map(({ id, reason }) => ({ sign: '-', what: `step ${id}`, version: null, reason })),
  ]
  if (lines.length === 0) return `Nothing differs from version ${against}.\n`
  return table(terminal, differenceColumns(against), lines)
}

const differenceColumns = (against: number): readonly Column<Difference>[] => [
  { title: `since ${against}`, cell: ({ sign }) => ({ text: sign, style: sign === '+' ? 'green' : 'red' }) },
  { title: 'what', cell: ({ what }) => what, flexible: true },
  { title: 'version', align: 'right', cell: ({ version: made }) => made ?? nothing },
  { title: 'reason', cell: ({ reason }) => reason ?? '', flexible: true },
]
