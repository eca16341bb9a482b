import { openAsBlob } from 'node:fs'
import type { Command } from 'commander'
import { packageVersionsMax, type PackageRow } from '#contracts/package.ts'
import { digestOf } from '#libs/blobs/verifier.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { usage } from '../exit.ts'
import { listed } from '../format.ts'
import { paged, watchable, type ListOptions, type WatchOptions } from '../options.ts'
import type { Column } from '../table.ts'
import { when } from '../time.ts'
import { whole } from '../values.ts'
import { viewList } from '../view.ts'

/** As long as a server lets an upload take, unless it is told otherwise. */
const uploadMaxMs = 30 * 60_000
const mebibyte = 1_024 ** 2

export function addPackages(program: Command, io: Io): void {
  const packages = program.command('package').description('packages: archives that deployments bring to machines')
  packages
    .command('upload <name> <version> <file>')
    .description('a tar, tar.gz or zip under a version, which stands for these bytes for ever')
    .action(action(io, upload))
  watchable(
    paged(packages.command('list [name]').description('every version that is kept, or those of one package')),
  ).action(
    action(io, (context, options: ListOptions & WatchOptions, name?: string) =>
      viewList(context, options, {
        path: name === undefined ? 'packages' : path`packages/${name}`,
        columns: columns(context),
        none: 'There are no packages.',
      }),
    ),
  )
  packages
    .command('remove <name> <version>')
    .description('give up a version that no release needs')
    .option('--reason <text>', 'why, for those who ask later')
    .action(action(io, remove))
  packages
    .command('prune <name>')
    .description('give up all versions but the newest and those that releases need')
    .requiredOption('--keep <count>', 'how many of the newest stay', whole(0, packageVersionsMax))
    .option('--reason <text>', 'why, for those who ask later')
    .action(action(io, prune))
  packages.addHelpText('after', help)
}

interface Stored {
  readonly digest: string
  readonly sizeBytes: number
}

async function upload(context: Context, _options: object, name: string, version: string, file: string): Promise<void> {
  const unreadable = (error: unknown) => {
    throw usage(`${file} cannot be read: ${(error as Error).message}`)
  }
  // Told beforehand, so that bytes which are changed on the way, or while they are read, are refused.
  const digest = await digestOf(file).catch(unreadable)
  const content = await openAsBlob(file).catch(unreadable)
  const address = `${path`packages/${name}/versions/${version}`}?digest=${digest}`
  const reply = await context.client.send<Stored>('POST', address, content, null, uploadMaxMs)
  const size = `${(reply.body.sizeBytes / mebibyte).toFixed(1)} MiB`
  context.done(reply, `Package ${name} ${version} is uploaded: ${size}, sha256 ${reply.body.digest}.`)
}

async function remove(context: Context, { reason }: { reason?: string }, name: string, version: string): Promise<void> {
  const query = reason === undefined ? '' : `?reason=${encodeURIComponent(reason)}`
  const reply = await context.client.send('DELETE', path`packages/${name}/versions/${version}` + query)
  context.done(reply, `Package ${name} ${version} is given up.`)
}

async function prune(context: Context, { keep, reason }: { keep: number; reason?: string }, name: string) {
  const body = { keepNewest: keep, ...(reason === undefined ? {} : { reason }) }
  const reply = await context.client.send<{ versions: readonly string[] }>('POST', path`packages/${name}/prune`, body)
  const { versions } = reply.body
  context.done(reply, `Given up of package ${name}: ${listed(versions)}.`)
}

const columns = ({ terminal, clock }: Context): readonly Column<PackageRow>[] => [
  { title: 'name', cell: ({ name }) => name },
  { title: 'version', cell: ({ version }) => version },
  { title: 'MiB', align: 'right', cell: ({ sizeBytes }) => (sizeBytes / mebibyte).toFixed(1) },
  { title: 'sha256', cell: ({ digest }) => digest, flexible: true },
  { title: 'uploaded', cell: ({ uploadedAt }) => when(terminal, clock, uploadedAt) },
  { title: 'by', cell: ({ uploadedBy }) => uploadedBy, flexible: true },
]

const help = `
Examples:
  remuda package upload shop 1.5.0 shop-1.5.0.tar.gz
  remuda package list shop
  remuda package prune shop --keep 10`
