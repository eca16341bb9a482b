import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

const ownerOnly = 0o600
/** Wide enough that two processes do not choose the same name beside a file. */
const suffixBytes = 6

interface Chance {
  bytes(count: number): Uint8Array
}

/** Puts a text in the place of a file: readers see the old text or the new one, also after a power cut. */
export async function replaceFile(path: string, text: string, chance: Chance): Promise<void> {
  const beside = await writeBeside(path, text, chance)
  await rename(beside, path)
  await syncFolder(dirname(path))
}

/** Makes a file that is whole from the start; false when there is one of this name already. */
export async function createFile(path: string, text: string, chance: Chance): Promise<boolean> {
  const beside = await writeBeside(path, text, chance)
  try {
    // Unlike a rename, a link never takes the place of what is there.
    await link(beside, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(beside, { force: true })
  }
  await syncFolder(dirname(path))
  return true
}

/** The text of a file; null when there is none. */
export const readIfThere = (path: string): Promise<string | null> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })

/** Overwrites a file before it is taken away, for disks that write in place. */
export async function shredFile(path: string): Promise<void> {
  try {
    await using file = await open(path, 'r+')
    const { size } = await file.stat()
    await file.write(Buffer.alloc(size), 0, size, 0)
    await file.sync()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  await rm(path, { force: true })
  await syncFolder(dirname(path))
}

async function writeBeside(path: string, text: string, chance: Chance): Promise<string> {
  const beside = `${path}.${Buffer.from(chance.bytes(suffixBytes)).toString('hex')}.new`
  await using file = await open(beside, 'wx', ownerOnly)
  await file.writeFile(text)
  await file.sync()
  return beside
}

/** A new or renamed file is only there for good once its folder is on disk as well. */
async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder, and writes its directory entries with the file.
  if (process.platform === 'win32') return
  await using handle = await open(folder, 'r')
  await handle.sync()
}
