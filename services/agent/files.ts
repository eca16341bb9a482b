import { mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Serial } from '#libs/serial.ts'
import { syncFolder } from '#libs/syncFolder.ts'
import type { AgentFiles } from './ports.ts'

const folderMode = 0o700
const fileMode = 0o600
const waitingMax = 100_000
const handlesMax = 32

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** The agent's data folder on a real disk. Nobody but its owner can read what is in it. */
export async function openFiles(folder: string): Promise<AgentFiles & AsyncDisposable> {
  await mkdir(folder, { recursive: true, mode: folderMode })
  const serial = new Serial(waitingMax)
  const handles = new Map<string, FileHandle>()
  const pathOf = (name: string) => join(folder, name)

  const inTurn = <Result>(name: string, work: () => Promise<Result>): Promise<Result> =>
    serial.run(name, work) ?? Promise.reject(new Error(`too much waits to be written to ${name}`))

  const close = async (name: string) => {
    const handle = handles.get(name)
    handles.delete(name)
    await handle?.close()
  }

  const handleFor = async (name: string): Promise<FileHandle> => {
    const known = handles.get(name)
    if (known) return known
    await mkdir(dirname(pathOf(name)), { recursive: true, mode: folderMode })
    const handle = await open(pathOf(name), 'a', fileMode)
    await syncFolder(dirname(pathOf(name)))
    if (handles.size >= handlesMax) await close(handles.keys().next().value!)
    handles.set(name, handle)
    return handle
  }

  return {
    read: (name) =>
      inTurn(name, () => readFile(pathOf(name), 'utf8')).catch((error: unknown) => {
        if (isMissing(error)) return null
        throw error
      }),
    replace: (name, text) =>
      inTurn(name, async () => {
        await close(name)
        await replaceFile(pathOf(name), text)
      }),
    append: (name, text, { durable }) =>
      inTurn(name, async () => {
        const handle = await handleFor(name)
        await handle.appendFile(text)
        if (durable) await handle.datasync()
      }),
    remove: (name) =>
      inTurn(name, async () => {
        await close(name)
        await rm(pathOf(name), { force: true })
      }),
    async [Symbol.asyncDispose]() {
      for (const name of [...handles.keys()]) await inTurn(name, () => close(name))
    },
  }
}

/** A file beside it is written, synced and renamed: readers see the old text or the new one, also after a power cut. */
async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.new`
  await mkdir(dirname(path), { recursive: true, mode: folderMode })
  await rm(beside, { force: true })
  await using file = await open(beside, 'wx', fileMode)
  await file.writeFile(text)
  await file.sync()
  await rename(beside, path)
  await syncFolder(dirname(path))
}
