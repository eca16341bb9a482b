import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { backup } from 'node:sqlite'
import { ensurePrivateFile } from '#libs/privateFile.ts'
import { StoreFault } from '../store.ts'
import { connect } from './connection.ts'
import { asFault } from './faults.ts'
import { markAsBackup } from './schema.ts'
import { verifyFile } from './verifyFile.ts'

/** Pages copied in one piece of work, on a pool of threads that others want too. */
const stepPages = 512

/**
 * Copies a database that is in use to a new file. Only a copy that was verified and is on disk gets its name. It starts
 * a new epoch when it is opened as a store.
 */
export async function backupTo(path: string, target: string): Promise<void> {
  if (existsSync(target)) throw new StoreFault(`There is already a file ${target}. Choose another name for the backup.`)
  const unfinished = `${target}.unfinished`
  try {
    mkdirSync(dirname(target), { recursive: true })
    rmSync(unfinished, { force: true })
    await copySnapshot(path, unfinished)
    markAsBackup(unfinished)
    const { problems } = await verifyFile(unfinished)
    if (problems.length > 0) throw new StoreFault(`The copy is damaged, so it was dropped: ${problems.join('; ')}`)
    sync(unfinished)
    renameSync(unfinished, target)
    sync(dirname(target))
  } catch (error) {
    throw asFault(error, `copying to ${target}`)
  } finally {
    rmSync(unfinished, { force: true })
  }
}

/**
 * Copies by a connection of its own that holds one moment of the file. By the writer's connection, a step that comes
 * while a commit is open is refused (and Node gives up on the first of them); by one that holds nothing, every commit
 * makes the copy start again.
 */
async function copySnapshot(path: string, target: string): Promise<void> {
  using source = connect(path, { readOnly: true })
  source.exec('BEGIN')
  source.prepare('SELECT count(*) FROM sqlite_schema').get()
  ensurePrivateFile(target)
  await backup(source, target, { rate: stepPages })
}

function sync(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
