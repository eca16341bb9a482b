import { existsSync, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Something that is not ours to bring along, in words that let a person put it right. */
export class NotInstalled extends Error {
  override readonly name = 'NotInstalled'
}

const onPath = () => (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
const versionOf = (folder: string) => Number(folder.split('/').at(-2))
const debians = () => globSync('/usr/lib/postgresql/*/bin').toSorted((a, b) => versionOf(b) - versionOf(a))

/** Finds nats-server, also where people other than root do not look for servers. @throws NotInstalled */
export const findNats = (folders: readonly string[] = [...onPath(), '/usr/sbin']): string =>
  join(folderWith(['nats-server'], folders, 'nats-server'), 'nats-server')

/** Finds the folder of PostgreSQL's programs, which Debian keeps off the path. @throws NotInstalled */
export const findPostgres = (folders: readonly string[] = [...onPath(), ...debians()]): string =>
  folderWith(['postgres', 'initdb'], folders, 'postgresql')

function folderWith(programs: readonly string[], folders: readonly string[], packageName: string): string {
  const found = folders.find((folder) => programs.every((program) => existsSync(join(folder, program))))
  if (found !== undefined) return found
  throw new NotInstalled(
    `The distributed demo needs ${programs[0]}, which is not here: install the package ${packageName}, or play the demo without --distributed.`,
  )
}
