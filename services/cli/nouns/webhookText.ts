import type { Deliveries, DeliveryRow, WebhookRow } from '#contracts/webhookRows.ts'
import { path } from '../client.ts'
import type { Context } from '../context.ts'
import { nothing } from '../format.ts'
import { details, table, type Cell, type Column } from '../table.ts'
import { when } from '../time.ts'

const stateOf = ({ state }: WebhookRow): Cell => (state === 'disabled' ? { text: state, style: 'red' } : state)
const hears = ({ topics, eventTypes }: WebhookRow): string => [...topics, ...eventTypes].join(', ')
const lost = ({ dropped }: WebhookRow): Cell => (dropped === 0 ? 0 : { text: String(dropped), style: 'red' })
const only = (ids: readonly string[] | null): string => ids?.join(', ') ?? 'all'

export const webhookColumns = ({ terminal, clock }: Context): readonly Column<WebhookRow>[] => [
  { title: 'id', cell: ({ id }) => id },
  { title: 'name', cell: ({ name }) => name, flexible: true },
  { title: 'state', cell: stateOf },
  { title: 'url', cell: ({ url }) => url, flexible: true },
  { title: 'hears of', cell: hears, flexible: true },
  { title: 'lost', align: 'right', cell: lost },
  { title: 'created', cell: ({ createdAt }) => when(terminal, clock, createdAt) },
]

export const webhookShown = ({ terminal, clock }: Context, row: WebhookRow): string =>
  details(terminal, [
    ['id', row.id],
    ['name', row.name],
    ['url', row.url],
    ['state', stateOf(row)],
    [
      'disabled',
      row.disabled && `${when(terminal, clock, row.disabled.at)} by ${row.disabled.by}: ${row.disabled.reason}`,
    ],
    ['hears of', hears(row)],
    ['environments', only(row.environmentIds)],
    ['projects', only(row.projectIds)],
    ['secrets that sign', row.secrets],
    ['lost', lost(row)],
    [
      'lost last',
      row.lastDrop &&
        `${when(terminal, clock, row.lastDrop.at)}: ${row.lastDrop.count} (${row.lastDrop.cause}), ${row.lastDrop.detail}`,
    ],
    ['created', when(terminal, clock, row.createdAt)],
  ])

/** How the last deliveries are asked for, and how they are told. */
export const deliveriesOf = (
  context: Context,
  id: string,
): [() => Promise<Deliveries>, (body: Deliveries) => string] => [
  () => context.client.get<Deliveries>(path`webhooks/${id}/deliveries`),
  (body) => deliveriesText(context, body),
]

function deliveriesText({ terminal, clock, note }: Context, { waiting, nextAttemptAt, items }: Deliveries): string {
  const next = nextAttemptAt === null ? '' : `, tried again ${when(terminal, clock, nextAttemptAt)}`
  if (waiting > 0) note(`${waiting} waiting${next}.`)
  if (items.length === 0) return 'Nothing was sent since the service that delivers began.\n'
  const columns: readonly Column<DeliveryRow>[] = [
    { title: 'at', cell: ({ at }) => when(terminal, clock, at) },
    { title: 'outcome', cell: ({ outcome }) => (outcome === 'delivered' ? outcome : { text: outcome, style: 'red' }) },
    { title: 'tries', align: 'right', cell: ({ attempts }) => attempts },
    { title: 'status', align: 'right', cell: ({ status }) => status ?? nothing },
    { title: 'type', cell: ({ type }) => type },
    { title: 'what', cell: ({ summary }) => summary, flexible: true },
    { title: 'detail', cell: ({ detail }) => detail, flexible: true },
    { title: 'id', cell: ({ id }) => id },
  ]
  return table(terminal, columns, items)
}
