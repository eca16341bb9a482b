import { table } from '../../table.ts'
import type { Terminal } from '../../terminal.ts'
import type { Cluster } from './cluster.ts'

interface Line {
  readonly process: string
  readonly pid: number
  readonly address: string
  readonly does: string
}

const servesAll = 'serves; so does the other'

/** What runs where, and who of two does the work at the moment. */
export function showWhereabouts(terminal: Terminal, cluster: Cluster): void {
  const { nats, postgres } = cluster
  const servers: readonly Line[] = [
    { process: 'PostgreSQL', pid: postgres.pid, address: 'a socket in the demo’s folder', does: 'keeps the events' },
    { process: 'nats-server', pid: nats.pid, address: nats.url, does: 'carries events, questions and leases' },
  ]
  const processes = cluster.places.map((place): Line => {
    const { name, pid, url } = place
    return { process: name, pid, address: url, does: dutyOf(cluster, place) }
  })
  const front = { process: 'front', pid: process.pid, address: cluster.url, does: 'one address for everybody' }
  terminal.out(`\n${terminal.style('bold', 'What runs where')}\n`)
  const columns = [
    { title: 'process', cell: (line: Line) => line.process },
    { title: 'pid', cell: (line: Line) => line.pid, align: 'right' as const },
    { title: 'address', cell: (line: Line) => line.address },
    { title: 'what it does', cell: (line: Line) => line.does, flexible: true },
  ]
  terminal.out(table(terminal, columns, [...servers, ...processes, front]))
}

function dutyOf(cluster: Cluster, place: Cluster['places'][number]): string {
  if (place.service === 'gateway') return `${servesAll}: the agents’ connections`
  if (place.service === 'query') return `${servesAll}: questions, console, commands`
  if (place.service === 'health') return 'listens to its share of the machines'
  return cluster.holderOf(place.service) === place ? 'does the work' : 'stands by'
}
