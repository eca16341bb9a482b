import type { IncidentRow } from '#contracts/fleetRows.ts'
import type { MachineRow } from '#contracts/rows.ts'
import { count, percent } from '../format.ts'

/** Where many machines went silent together: `zone eu-central-1a`, or the environment as a whole. */
export const whereWords = ({ domain }: Pick<IncidentRow, 'domain'>): string =>
  domain === null ? 'the whole environment' : `${domain.attribute} ${domain.value}`

/** How bad it is, in one sentence. */
export const howBad = ({ unavailable, registered, share, thresholdShare }: IncidentRow): string =>
  `${unavailable} of ${count(registered, 'machine')} (${percent(share)}) stopped answering together; ` +
  `the guard lets none go above ${percent(thresholdShare)}.`

/** The machines whose removal the incident holds back, as far as they are known here. */
export function heldBy({ domain, held }: IncidentRow, machines: readonly MachineRow[]): readonly MachineRow[] {
  const named = new Set(held.machineIds)
  const isCut = held.count > held.machineIds.length
  const isInDomain = ({ attributes }: MachineRow) => domain === null || attributes[domain.attribute] === domain.value
  return machines.filter(
    (machine) => machine.withheld !== null && (named.has(machine.id) || (isCut && isInDomain(machine))),
  )
}

/** What ends it. The guard says so of each removal that it holds; before it holds one, its threshold does. */
export function clearsWords(incident: IncidentRow, held: readonly MachineRow[]): string {
  const when = held[0]?.withheld?.clearsWhen ?? `fewer than ${percent(incident.thresholdShare)} of them are unavailable`
  return `It clears when ${when.replace(/^when /i, '').replace(/\.$/, '')}.`
}
