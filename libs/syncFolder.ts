import { open } from 'node:fs/promises'

/** A new or renamed file is only there for good once its folder is on disk as well. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder, and writes its directory entries with the file.
  if (process.platform === 'win32') return
  await using handle = await open(folder, 'r')
  await handle.sync()
}
