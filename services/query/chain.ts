import { eventSentences } from '#contracts/describe/eventSentences.ts'
import type { Link } from '#contracts/fleetRows.ts'
import type { Recorded } from '#contracts/message.ts'
import type { EventStore } from '#libs/store/store.ts'
import { tableOf } from '#libs/view.ts'
import type { Query } from './service.ts'
import { causes } from './views/causes.ts'
import { iso } from './views/iso.ts'
import { machineEvents } from './views/machineEvents.ts'

/** Longer stories of causes are cut: the history and the log have the rest. */
const linksMax = 20

/** The facts that make a machine what it is: whether it belongs, how it is, and what is held against it. */
const making = [
  ...['MachineRegistered', 'MachineRestored', 'MachineDeregistered', 'MachineEnabled', 'MachineDisabled'],
  ...['MachineQuarantined', 'MachineReleased', 'MachineBecameHealthy', 'MachineBecameDegraded'],
  ...['MachineBecameUnhealthy', 'MachineBecameUnavailable', 'RemovalRequested', 'RemovalWithheld', 'RemovalDeferred'],
  ...['RemovalsResumed', 'RemovalAbandoned', 'DecisionReverted'],
]

/**
 * Why a machine is as it is: the newest fact that made it so, then what led to that, and so on back to the person, the
 * machine or the observation that began it.
 */
export async function chainOf(
  { reader }: Query,
  store: Pick<EventStore, 'readAll'>,
  machineId: string,
): Promise<readonly Link[]> {
  const events = tableOf(machineEvents)
  const types = making.map(() => '?').join()
  const newest = `SELECT at FROM ${events} WHERE machineId = ? AND type IN (${types}) ORDER BY at DESC LIMIT 1`
  const byId = `SELECT at FROM ${events} WHERE event = ? UNION SELECT doc ->> 'at' FROM ${tableOf(causes)} WHERE key = ? LIMIT 1`

  const chain: Link[] = []
  let [place] = reader.rows(newest, machineId, ...making)
  while (place !== undefined && chain.length < linksMax) {
    const [event] = await store.readAll(Number(place[0]) - 1, 1)
    if (event === undefined) break
    chain.push(linkOf(event))
    const { causationId } = event.meta
    place = causationId === null ? undefined : reader.rows(byId, causationId, causationId)[0]
  }
  return chain
}

function linkOf({ type, meta }: Recorded): Link {
  const { position, stream, at, actor } = meta
  const sentence = (eventSentences as Readonly<Record<string, string>>)[type] ?? ''
  return { position, type, stream, at: iso(at), actor, sentence }
}
