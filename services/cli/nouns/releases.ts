import type { Command } from 'commander'
import type { ReleaseRow } from '#contracts/rows.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { listed, shortPackage } from '../format.ts'
import { when } from '../time.ts'
import { paged, watchable, type ListOptions, type WatchOptions } from '../options.ts'
import type { Column } from '../table.ts'
import { viewList } from '../view.ts'

/** The server may have to look at packages where they lie. */
const createMaxMs = 60_000

export function addReleases(program: Command, io: Io): void {
  const release = program.command('release').description('releases: unchanging snapshots of a project')
  watchable(paged(release.command('list <project>').description('every release of a project, newest first'))).action(
    action(io, (context, options: ListOptions & WatchOptions, id: string) =>
      viewList(context, options, {
        path: path`projects/${id}/releases`,
        columns: columns(context),
        none: `${id} has no releases yet.`,
      }),
    ),
  )
  release
    .command('create <project> <version>')
    .description('a snapshot of the steps and variables as they are now')
    .option('--notes <text>', 'what is new')
    .action(action(io, create))
  release.addHelpText('after', help)
}

async function create(context: Context, { notes }: { notes?: string }, id: string, version: string): Promise<void> {
  const body = { version, ...(notes === undefined ? {} : { notes }) }
  const reply = await context.client.send('POST', path`projects/${id}/releases`, body, null, createMaxMs)
  context.done(reply, `Release ${version} of ${id} is made.`)
}

const columns = ({ terminal, clock }: Context): readonly Column<ReleaseRow>[] => [
  { title: 'version', cell: ({ version }) => version },
  { title: 'steps', align: 'right', cell: ({ process }) => process.steps.length },
  { title: 'process', align: 'right', cell: ({ processVersion }) => processVersion },
  { title: 'packages', cell: ({ packages }) => listed(packages.map(shortPackage)), flexible: true },
  { title: 'roles', cell: ({ targetRoles }) => listed(targetRoles), flexible: true },
  { title: 'created', cell: ({ createdAt }) => when(terminal, clock, createdAt) },
  { title: 'by', cell: ({ createdBy }) => createdBy, flexible: true },
  { title: 'notes', cell: ({ notes }) => notes, flexible: true },
]

const help = `
Examples:
  remuda release create shop 1.5.0 --notes "faster checkout"
  remuda release list shop`
