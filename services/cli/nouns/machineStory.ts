import { Option, type Command } from 'commander'
import { pageMax } from '#contracts/api.ts'
import type { EventRow } from '#contracts/eventRow.ts'
import { path, type Page } from '../client.ts'
import { action, type Io } from '../context.ts'
import { paged, watchable, type ListOptions, type WatchOptions } from '../options.ts'
import { findMachine } from '../resolve.ts'
import { whole } from '../values.ts'
import { view, viewList } from '../view.ts'
import { eventColumns } from './eventText.ts'
import { explained, laggards, type Explanation, type Lagging } from './explainText.ts'

interface Where {
  readonly environment?: string
}

/** What became of a machine, and why: its events, and the verdicts on it. */
export function addMachineStory(machine: Command, io: Io): void {
  const history = machine
    .command('history <machine>')
    .description('all that happened to it, the latest first')
    .option('--environment <id>', 'where to look for the name')
  watchable(paged(history)).action(
    action(io, async (context, options: ListOptions & WatchOptions & Where, given: string) => {
      const { id } = await findMachine(context.client, given, { ...options, removed: 'last' })
      const columns = eventColumns(context)
      await viewList<EventRow>(context, options, { path: path`machines/${id}/history`, columns, none: 'Nothing yet.' })
    }),
  )
  machine
    .command('explain <machine>')
    .description('why it is, or is not, registered, a target, and on its releases')
    .option('--project <project>', 'with regard to this project')
    .option('--environment <id>', 'where to look for the name')
    .action(
      action(io, async (context, { project, environment }: Where & { project?: string }, given: string) => {
        const { id } = await findMachine(context.client, given, { environment, removed: 'last' })
        const why = await context.client.get<Explanation>(path`machines/${id}/explain`, { project })
        context.show(why, (said) => explained(context, said))
      }),
    )
  const lagging = machine
    .command('lagging')
    .description('machines that are to have another release than they have, those waiting longest first')
    .option('--environment <id>', 'of this environment')
    .addOption(new Option('--limit <count>', 'how many').default(50).argParser(whole(1, pageMax)))
  watchable(lagging).action(
    action(io, (context, { environment, limit, ...options }: Where & ListOptions & WatchOptions) => {
      const load = () => context.client.get<Page<Lagging>>('convergence', { environment, limit })
      return view(context, options, load, ({ items }) => laggards(context, items))
    }),
  )
}
