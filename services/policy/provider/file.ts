import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { parse } from 'yaml'
import { parseInventory, parseJsonInventory, type Inventory } from './inventory.ts'
import { ProviderFault, type Provider } from './provider.ts'

/** Reading YAML takes a hundred times as long as reading JSON, and everybody waits meanwhile. */
const yamlBytesMax = 1_000_000
const readsMax = 3

export interface FileSettings {
  readonly name: string
  readonly path: string
  readonly bytesMax: number
}

/** An inventory in a file on the server, JSON or YAML, that somebody else keeps up to date. It is read anew each time. */
export const fileProvider = ({ name, path, bytesMax }: FileSettings): Provider => ({
  name,
  kind: 'file',
  list: async (signal) => parseText(decode(await readWhole(path, bytesMax, signal))),
})

/** @throws ProviderFault when the file is no file, too large, or never at rest while it is read */
async function readWhole(path: string, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
  try {
    // A pipe would keep us waiting before we could see that it is one.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    for (let reads = 0; reads < readsMax; reads++) {
      const bytes = await readAtRest(file, bytesMax, signal)
      if (bytes !== null) return bytes
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === undefined ? error : new ProviderFault(`its file cannot be read (${code})`)
  }
  throw new ProviderFault('its file changes while it is read; write another one and rename it')
}

/** What the file holds, or null when it was written to meanwhile. */
async function readAtRest(file: FileHandle, bytesMax: number, signal: AbortSignal): Promise<Uint8Array | null> {
  const before = await file.stat({ bigint: true })
  if (!before.isFile()) throw new ProviderFault('its path leads to something that is no file')
  if (before.size > bytesMax) throw new ProviderFault(`its file has more than ${bytesMax} bytes`)
  // One byte more than there is, to see whether there is more by now.
  const bytes = Buffer.alloc(Number(before.size) + 1)
  let length = 0
  for (let last = -1; last !== 0 && length < bytes.length; length += last) {
    signal.throwIfAborted()
    last = (await file.read(bytes, length, bytes.length - length, length)).bytesRead
  }
  const after = await file.stat({ bigint: true })
  const isAtRest = after.size === before.size && after.mtimeNs === before.mtimeNs && BigInt(length) === before.size
  return isAtRest ? bytes.subarray(0, length) : null
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new ProviderFault('its file is not written in UTF-8')
  }
}

function parseText(text: string): Inventory {
  if (text.trim() === '') throw new ProviderFault('its file is empty')
  if (/^\s*[[{]/.test(text)) return parseJsonInventory(text)
  if (text.length > yamlBytesMax)
    throw new ProviderFault(`its file has more than ${yamlBytesMax} bytes of YAML; JSON may be larger`)
  const answer = parseYaml(text)
  const inventory = parseInventory(answer)
  // YAML that is cut off is YAML still, with machines missing. What has its end has all that stands before it.
  if (Object.keys(answer as object).at(-1) !== 'complete')
    throw new ProviderFault('its file is YAML and does not end with complete: true or false, so it may be cut off')
  return inventory
}

function parseYaml(text: string): unknown {
  try {
    // Aliases are of no use here, and a few lines of them can mean gigabytes.
    return parse(text, { maxAliasCount: 0, logLevel: 'error' })
  } catch {
    throw new ProviderFault('its file is neither JSON nor YAML')
  }
}
