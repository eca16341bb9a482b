import { link, lstat, mkdir, open, readdir, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncFolder } from '#libs/syncFolder.ts'
import { asFault } from './fault.ts'
import type { Planned } from './rules.ts'

const folderMode = 0o755

/** What comes out of an archive, in a folder that nobody uses yet. Disposed of, it is gone unless it was moved. */
export interface Tree extends AsyncDisposable {
  make(planned: Planned, content: AsyncIterable<Uint8Array>): Promise<void>
  /** Makes the links, looks that there is what was planned and nothing else, and syncs it all. */
  finish(planned: ReadonlyMap<string, 'file' | 'folder' | 'link'>): Promise<void>
  moveTo(target: string): Promise<void>
}

type Link = Extract<Planned, { kind: 'symlink' | 'hardlink' }>

export async function createTree(root: string): Promise<Tree> {
  const at = (path: string) => join(root, path)
  const links: Link[] = []
  await rm(root, { recursive: true, force: true })
  await mkdir(root, { recursive: true, mode: folderMode })

  return {
    async make(planned, content) {
      if (planned.kind === 'root') return
      for (const folder of planned.folders) await mkdir(at(folder), { mode: folderMode })
      if (planned.kind === 'file') await writeNew(at(planned.path), planned.mode, content)
      // At the end, so that while files are written nothing is there that leads elsewhere.
      if (planned.kind === 'symlink' || planned.kind === 'hardlink') links.push(planned)
    },
    async finish(planned) {
      for (const { kind, path, target } of links)
        await (kind === 'symlink' ? symlink(target, at(path)) : link(at(target), at(path)))
      await lookOver(root, planned)
    },
    async moveTo(target) {
      await rename(root, target)
      await syncFolder(dirname(target))
    },
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** Writes a file that was not there, with this mode whatever the mask of the process is. */
async function writeNew(path: string, mode: number, content: AsyncIterable<Uint8Array>): Promise<void> {
  await using file = await open(path, 'wx', mode)
  try {
    for await (const piece of content) await file.writeFile(piece)
    await file.chmod(mode)
    await file.sync()
  } catch (error) {
    throw asFault(error)
  }
}

/** A file system has its own opinion on which names are one. It is asked here, and not when the package is used. */
async function lookOver(root: string, planned: ReadonlyMap<string, 'file' | 'folder' | 'link'>): Promise<void> {
  let found = 0
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of await readdir(join(root, folder))) {
      const path = folder === '' ? name : `${folder}/${name}`
      const is = await lstat(join(root, path))
      const kind = is.isSymbolicLink() ? 'link' : is.isDirectory() ? 'folder' : 'file'
      if (planned.get(path) !== kind)
        throw new Error(`unpacking has made ${JSON.stringify(path)}, which nobody planned`)
      found += 1
      if (kind === 'folder') folders.push(path)
    }
    await syncFolder(join(root, folder))
  }
  if (found !== planned.size) throw new Error(`unpacking has made ${found} entries of ${planned.size}`)
}
