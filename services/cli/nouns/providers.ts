import type { Command } from 'commander'
import type { ProviderRow } from '#contracts/provider.ts'
import { action, type Context, type Io } from '../context.ts'
import { listed, nothing } from '../format.ts'
import { watchable, type WatchOptions } from '../options.ts'
import { table, type Cell, type Column } from '../table.ts'
import { when } from '../time.ts'
import { view } from '../view.ts'

/** Who is asked what has become of machines that do not answer. */
export function addProviders(program: Command, io: Io): void {
  const provider = program.command('provider').description('clouds and inventories that know which machines there are')
  watchable(provider.command('list').description('how each of them answers')).action(
    action(io, (context, options: WatchOptions) =>
      view(
        context,
        options,
        () => context.client.get<{ items: readonly ProviderRow[] }>('providers'),
        ({ items }) =>
          items.length === 0
            ? 'The server knows no provider, and no policy names one. See REMUDA_PROVIDERS_FILE.\n'
            : table(context.terminal, columns(context), items),
      ),
    ),
  )
}

const columns = ({ terminal, clock }: Context): readonly Column<ProviderRow>[] => [
  { title: 'name', cell: ({ name }) => name },
  { title: 'kind', cell: ({ kind }) => kind ?? nothing },
  { title: 'state', cell: stateOf },
  { title: 'last answer', cell: ({ lastAnswerAt }) => when(terminal, clock, lastAnswerAt) },
  { title: 'machines', align: 'right', cell: ({ machinesListed }) => machinesListed },
  { title: 'environments', cell: ({ environmentIds }) => listed(environmentIds), flexible: true },
  { title: 'trouble', cell: ({ lastFailure, doubts }) => lastFailure ?? listed(doubts), flexible: true },
]

const stateOf = ({ kind, silentSince, failures }: ProviderRow): Cell => {
  if (kind === null) return { text: 'not known here', style: 'red' }
  if (silentSince !== null) return { text: 'silent', style: 'red' }
  return failures === 0 ? { text: 'answers', style: 'green' } : { text: `failed ${failures} times`, style: 'yellow' }
}
