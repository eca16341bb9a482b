import type { MachineRow } from '#contracts/rows.ts'
import type { EventRow } from '#contracts/eventRow.ts'
import { path } from '../client.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import type { Fleet } from './fleet.ts'

interface Line {
  readonly name: string
  readonly releases: string
  readonly came: string
  readonly went: string
}

/** What happened, as a table that is told from each machine's own history. */
export async function report(terminal: Terminal, fleet: Fleet): Promise<void> {
  const machines = [...(await fleet.machines()), ...(await fleet.removed())]
  const unique = [...new Map(machines.map((machine) => [machine.id, machine])).values()]
  const lines = await Promise.all(unique.map((machine) => lineOf(fleet, machine)))
  const sorted = lines.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  terminal.out(`\n${terminal.style('bold', 'What happened')}\n`)
  terminal.out(
    table(
      terminal,
      [
        { title: 'machine', cell: ({ name }: Line) => name },
        { title: 'releases', cell: ({ releases }) => releases },
        { title: 'how it came', cell: ({ came }) => came },
        { title: 'how it went, and why', cell: ({ went }) => went, flexible: true },
      ],
      sorted,
    ),
  )
}

async function lineOf(fleet: Fleet, machine: MachineRow): Promise<Line> {
  const history = await Array.fromAsync(fleet.client.rows<EventRow>(path`machines/${machine.id}/history`))
  const events = history.toSorted((a, b) => a.position - b.position)
  const versions = await releasesOf(fleet, machine)
  return {
    name: machine.name,
    releases: versions.length === 0 ? '-' : versions.join(' → '),
    came: events.flatMap(arrival).join(', then '),
    went: events.flatMap(departure).join('; ') || (machine.registered ? 'it is still there' : '-'),
  }
}

/** The releases that a machine got, in the order in which it got them. */
async function releasesOf(fleet: Fleet, { id }: MachineRow): Promise<readonly string[]> {
  const deployments = (await fleet.deployments()).toSorted((a, b) => a.createdAt.localeCompare(b.createdAt))
  return deployments
    .filter(({ targets }) => targets.some((target) => target.machineId === id && target.outcome === 'succeeded'))
    .map(({ version }) => version)
}

function arrival({ type, data }: EventRow): readonly string[] {
  if (type !== 'MachineRegistered') return []
  const { returnedFrom } = data as { returnedFrom: unknown }
  return [returnedFrom === null ? 'enrolled with a join token' : 'returned by itself']
}

function departure({ type, data }: EventRow): readonly string[] {
  if (type !== 'MachineDeregistered') return []
  const { cause } = data as { cause: { kind: string; reason: string } }
  return [`${cause.kind}: ${cause.reason}`]
}
