import type { Command } from 'commander'
import type { Overview } from '#contracts/rows.ts'
import { action, type Context, type Io } from '../context.ts'
import { counted } from '../format.ts'
import { watchable, type WatchOptions } from '../options.ts'
import { details } from '../table.ts'
import { view } from '../view.ts'

export function addOverview(program: Command, io: Io): void {
  const overview = program.command('overview').alias('status').description('the whole fleet in a few lines')
  watchable(overview).action(
    action(io, (context, options: WatchOptions) =>
      view(
        context,
        options,
        () => context.client.get<Overview>('overview'),
        (body) => shown(context, body),
      ),
    ),
  )
}

const notNone = (count: number) => (count === 0 ? 'none' : ({ text: String(count), style: 'yellow' } as const))

const shown = ({ terminal, client }: Context, { machines, environments, deployments, withheld, ...rest }: Overview) =>
  details(terminal, [
    ['server', `${client.server} (${rest.version})`],
    ['environments', environments],
    ['machines', counted(machines)],
    ['deployments', counted(deployments)],
    ['mass failures', notNone(rest.openIncidents)],
    ['removals withheld', notNone(withheld)],
    ['removals deferred', notNone(rest.deferred)],
    ['in quarantine', notNone(rest.quarantined)],
    ['not observed now', rest.openGaps === 0 ? 'nothing' : { text: `by ${rest.openGaps} observers`, style: 'yellow' }],
    ['events', rest.position],
  ])
