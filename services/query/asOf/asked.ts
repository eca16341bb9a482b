import type { FastifyReply } from 'fastify'
import { Refused } from '#libs/problem.ts'
import type { EventStore } from '#libs/store/store.ts'
import { fresh } from '../answers.ts'
import { markOf, type Mark } from '../cursor.ts'
import type { Fleet } from '../fleet.ts'
import type { Query } from '../service.ts'
import { positionAt, readMoment, type Moment } from './moment.ts'

interface Asked {
  readonly asOf?: string | undefined
  readonly minPosition?: number | undefined
  readonly cursor?: string | undefined
}

/**
 * The fleet that a request asks about: as it is, or as it was. The answer says in its headers of which position, and
 * for the past of which time, it is.
 * @throws Refused ASOF_INVALID, ASOF_TOO_FAR or ASOF_BUSY
 */
export async function fleetAsked(
  query: Query,
  store: EventStore,
  reply: FastifyReply,
  { asOf, minPosition, cursor }: Asked,
): Promise<Fleet> {
  const begun = cursor === undefined ? null : markOf(cursor)
  const moment = asOf === undefined ? null : readMoment(asOf)
  if (moment === null && begun === null) {
    await fresh(query, minPosition)
    reply.header('remuda-position', query.position)
    return query
  }
  if (moment !== null && cursor !== undefined && !isSame(moment, begun))
    throw new Refused('REQUEST_INVALID', 'querystring.cursor: this list was begun as of another moment; begin anew.')
  const { position, atMs: askedMs } = await reachable(store, begun ?? (await placeOf(query, store, moment!)))
  const model = await query.past.at(position)
  const atMs = askedMs ?? model.atMs
  reply.header('remuda-position', position).header('remuda-as-of', new Date(atMs).toISOString())
  return {
    reader: model.reader.marked({ position, atMs: askedMs }),
    ...{ machines: model.machines, tallies: model.tallies, position },
    clock: clockAt(query, atMs),
  }
}

async function placeOf({ clock }: Query, store: EventStore, moment: Moment): Promise<Mark> {
  if ('position' in moment) return { position: moment.position, atMs: null }
  const nowMs = clock.wallMs()
  if (moment.atMs > nowMs)
    throw new Refused('ASOF_INVALID', `asOf: it is ${new Date(nowMs).toISOString()} now, and the future is not known.`)
  return { position: await positionAt(store, moment.atMs), atMs: moment.atMs }
}

/** What is behind the end of the log has not happened yet; a cursor may be of a log that was restored since. */
async function reachable(store: EventStore, mark: Mark): Promise<Mark> {
  const head = await store.head()
  if (mark.position <= head) return mark
  throw new Refused('ASOF_INVALID', `asOf: the log ends at position ${head}, before ${mark.position}.`)
}

const isSame = (moment: Moment, begun: Mark | null): boolean =>
  begun !== null && ('position' in moment ? begun.position === moment.position : begun.atMs === moment.atMs)

/** Both clocks as they stood then, as far as can be told from how far they are apart now. */
const clockAt = ({ clock }: Query, atMs: number): Fleet['clock'] => ({
  wallMs: () => atMs,
  steadyMs: () => Math.max(0, Math.floor(clock.steadyMs() - (clock.wallMs() - atMs))),
})
