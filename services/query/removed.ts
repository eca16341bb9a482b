import { returnsByItself } from '#contracts/machine.ts'
import type { MachineRow } from '#contracts/rows.ts'
import { tableOf } from '#libs/view.ts'
import { withFields } from './answers.ts'
import type { Fleet } from './fleet.ts'
import type { Page, PageRequest } from './reader.ts'

/**
 * The machines that were removed from an environment lately, the latest first.
 * @param since the earliest removal that is still listed, in ISO 8601
 */
export function removedPage(
  { reader, machines }: Fleet,
  environmentId: string,
  since: string,
  page: PageRequest,
): Page {
  const { docs, next } = reader.page({
    list: 'removed',
    view: machines,
    where: [
      ['environmentId = ?', environmentId],
      ['removedAt >= ?', since],
    ],
    order: ['removedAt', 'key'],
    descending: true,
    ...page,
  })
  const holder = `SELECT key, registeredAt FROM ${tableOf(machines)} WHERE environmentId = ? AND name = ?`
  return { docs: docs.map((doc) => withEnding(doc, (name) => reader.rows(holder, environmentId, name)[0])), next }
}

/** Says besides what may become of it: what took it out, whether it may come back by itself, and who has its name. */
function withEnding(doc: string, holderOf: (name: string) => readonly unknown[] | undefined): string {
  const { name, transport, removal } = JSON.parse(doc) as MachineRow
  const [machineId, since] = holderOf(name) ?? []
  return withFields(doc, {
    decisionId: JSON.stringify(removal?.cause.decisionId ?? null),
    nameHolder: machineId === undefined ? 'null' : JSON.stringify({ machineId, since }),
    // Without an agent nothing of it ever asks to be let in.
    returnsByItself: String(transport === 'agent' && removal !== null && returnsByItself(removal.cause)),
  })
}
