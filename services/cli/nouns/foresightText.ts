import type { BacktestReply, Difference, Outcome, WhatIfReply } from '#contracts/backtest.ts'
import { speakDuration } from '#libs/units.ts'
import type { Context } from '../context.ts'
import { nothing, share } from '../format.ts'
import { details, table, type Column } from '../table.ts'
import { when } from '../time.ts'

type Listed<Item> = { readonly count: number; readonly items: readonly Item[] }
type Removed = Outcome['removed']['items'][number]
type Withheld = Outcome['withheld']['items'][number]
type Looks = Pick<Context, 'terminal' | 'clock'>

const at = ({ terminal, clock }: Looks, ms: number | null) =>
  when(terminal, clock, ms === null ? null : new Date(ms).toISOString())

/** What a policy would have done, beside what was done. */
export function backtested(looks: Looks, said: BacktestReply): string {
  const { proposed, actual, difference } = said
  const known = details(looks.terminal, [
    ['environment', said.environmentId],
    ['period', `${at(looks, said.fromAt)} to ${at(looks, said.toAt)}`],
    ['events read', said.events],
    ['would have removed', `${proposed.removed.count}; really removed: ${actual.removed.count}`],
    ['of these, back within an hour', `${proposed.returnedWithinHour}; really: ${actual.returnedWithinHour}`],
    ['would have held back', `${proposed.withheld.count}; really held back: ${actual.withheld.count}`],
    ['mass failures', `${proposed.incidents.count}; really: ${actual.incidents.count}`],
    ...differing('removed', difference.removed),
    ...differing('held back', difference.withheld),
    ...said.caveats.map((caveat) => ['mind', caveats[caveat]] as const),
  ])
  return known + outcome(looks, proposed)
}

/** What would follow if machines went silent now. */
export function foreseen(looks: Looks, said: WhatIfReply): string {
  const known = details(looks.terminal, [
    ['environment', said.environmentId],
    ['would fall silent', said.fallen],
    ['looked ahead', speakDuration(said.horizonMs)],
    ['would be removed', said.outcome.removed.count],
    ['would be held back', said.outcome.withheld.count],
    ['full stop', said.fullStopAt === null ? 'not reached' : at(looks, said.fullStopAt)],
    ['deployments touched', said.deployments.count],
    ...said.caveats.map((caveat) => ['mind', caveats[caveat]] as const),
  ])
  const roles = said.roles.length === 0 ? '' : `\n${table(looks.terminal, roleColumns, said.roles)}`
  return known + roles + outcome(looks, said.outcome)
}

const caveats: Readonly<Record<BacktestReply['caveats'][number], string>> = {
  'health-as-recorded': 'when machines went silent is taken as it was recorded, whatever the policy says of health',
  'provider-not-asked': 'what the provider would say is not known',
  'lists-cut': 'the lists are cut; the counts are whole',
}

const differing = (what: string, { onlyProposed, onlyActual }: Difference) =>
  onlyProposed.count + onlyActual.count === 0
    ? [[`${what}, difference`, 'none'] as const]
    : [[`${what}, difference`, `${onlyProposed.count} more, ${onlyActual.count} fewer`] as const]

function outcome(looks: Looks, { removed, withheld }: Outcome): string {
  return listed(looks, removed, removedColumns(looks)) + listed(looks, withheld, withheldColumns(looks))
}

const listed = <Row>({ terminal }: Looks, { count, items }: Listed<Row>, columns: readonly Column<Row>[]): string =>
  count === 0
    ? ''
    : `\n${table(terminal, columns, items)}${count > items.length ? `and ${count - items.length} more\n` : ''}`

const removedColumns = (looks: Looks): readonly Column<Removed>[] => [
  { title: 'removed', cell: ({ name }) => name, flexible: true },
  { title: 'id', cell: ({ machineId }) => machineId },
  { title: 'when', cell: (row) => at(looks, row.at) },
  { title: 'rule', cell: ({ rule }) => rule },
  { title: 'silent for', cell: ({ observedMs }) => speakDuration(observedMs) },
  {
    title: 'back after',
    cell: ({ returnedAfterMs }) => (returnedAfterMs === null ? nothing : speakDuration(returnedAfterMs)),
  },
]

const withheldColumns = (looks: Looks): readonly Column<Withheld>[] => [
  { title: 'held back', cell: ({ name }) => name, flexible: true },
  { title: 'id', cell: ({ machineId }) => machineId },
  { title: 'when', cell: (row) => at(looks, row.at) },
  { title: 'share', align: 'right', cell: (row) => share(row.share) },
  { title: 'where', cell: ({ domain }) => (domain === null ? 'everywhere' : `${domain.attribute} ${domain.value}`) },
  { title: 'until', cell: ({ until, how }) => (until === null ? nothing : `${at(looks, until)} (${how})`) },
]

const roleColumns: readonly Column<WhatIfReply['roles'][number]>[] = [
  { title: 'role', cell: ({ role }) => role },
  { title: 'answering', align: 'right', cell: ({ answering }) => answering },
  { title: 'would remain', align: 'right', cell: ({ remaining }) => remaining },
]
