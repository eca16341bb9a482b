import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { createFile, readIfThere, replaceFile, shredFile } from '../durableFile.ts'
import { readMasterKeys, type MasterKey } from './masterKeys.ts'
import { keyBytes, seal, unseal } from './seal.ts'

const keyFile = 'key'
const idChars = 16

const Wrapped = z.object({ keyId: z.string(), masterKeyId: z.string(), wrapped: z.string() })
type Wrapped = z.infer<typeof Wrapped>

/** The key of one secret. */
export interface DataKey {
  readonly id: string
  readonly key: Uint8Array
}

/** The keys of secrets, each in the folder of its secret, wrapped by the master key. */
export class DataKeys {
  readonly #clock: Clock
  readonly #masterKeyFile: string

  constructor(clock: Clock, masterKeyFile: string) {
    this.#clock = clock
    this.#masterKeyFile = masterKeyFile
  }

  /** The key as it is now; null when there is none, unreadable when no master key opens it. */
  async read(folder: string, secretId: string): Promise<DataKey | null | 'unreadable'> {
    const wrapped = await readWrapped(folder)
    if (wrapped === null || wrapped === 'unreadable') return wrapped
    if (await isDestroyed(folder, wrapped)) return null
    return unwrap(wrapped, secretId, await readMasterKeys(this.#masterKeyFile)) ?? 'unreadable'
  }

  /** The key as it is now, made when there is none. */
  async ensure(folder: string, secretId: string): Promise<DataKey> {
    const known = await this.read(folder, secretId)
    if (known === 'unreadable')
      throw new Error(`the key of secret ${secretId} cannot be opened: it is under a master key that is not given`)
    if (known !== null) return known
    const key = this.#clock.bytes(keyBytes)
    const id = createHash('sha256').update(key).digest('hex').slice(0, idChars)
    const [master] = await readMasterKeys(this.#masterKeyFile)
    // Whoever was first has made it: both go on with that one.
    if (!(await createFile(join(folder, keyFile), this.#wrap({ id, key }, secretId, master), this.#clock)))
      return this.ensure(folder, secretId)
    // Should the master key have been taken away meanwhile, this key is wrapped by the one that took its place.
    await this.rewrap(folder, secretId, [master])
    return { id, key }
  }

  /** Wraps the key by the first of the master keys, unless it is; false when none of them opens it. */
  async rewrap(folder: string, secretId: string, older: readonly MasterKey[] = []): Promise<boolean> {
    const wrapped = await readWrapped(folder)
    if (wrapped === null) return true
    const masters = await readMasterKeys(this.#masterKeyFile)
    if (wrapped !== 'unreadable' && wrapped.masterKeyId === masters[0].id) return true
    const opened = wrapped === 'unreadable' ? null : unwrap(wrapped, secretId, [...masters, ...older])
    if (opened === null) return false
    await replaceFile(join(folder, keyFile), this.#wrap(opened, secretId, masters[0]), this.#clock)
    // Who destroys it leaves a mark first: what was put back in between is found here, or by the one who destroys.
    if (await isDestroyed(folder, wrapped as Wrapped)) await shredFile(join(folder, keyFile))
    return true
  }

  async destroy(folder: string): Promise<void> {
    const wrapped = await readWrapped(folder)
    if (wrapped === null) return
    if (wrapped !== 'unreadable') await createFile(markOf(folder, wrapped), '', this.#clock)
    await shredFile(join(folder, keyFile))
  }

  #wrap({ id: keyId, key }: DataKey, secretId: string, master: MasterKey): string {
    const wrapped = seal(this.#clock, master.key, aboutKey(secretId, keyId), key)
    return JSON.stringify({ keyId, masterKeyId: master.id, wrapped } satisfies Wrapped)
  }
}

const markOf = (folder: string, { keyId }: Pick<Wrapped, 'keyId'>) => join(folder, `destroyed-${keyId}`)
const isDestroyed = async (folder: string, wrapped: Wrapped) => (await readIfThere(markOf(folder, wrapped))) !== null

const aboutKey = (secretId: string, keyId: string) => ['remuda-data-key-v1', secretId, keyId]

async function readWrapped(folder: string): Promise<Wrapped | null | 'unreadable'> {
  const text = await readIfThere(join(folder, keyFile))
  if (text === null) return null
  try {
    return Wrapped.parse(JSON.parse(text))
  } catch {
    return 'unreadable'
  }
}

function unwrap({ keyId, masterKeyId, wrapped }: Wrapped, secretId: string, masters: readonly MasterKey[]) {
  const master = masters.find(({ id }) => id === masterKeyId)
  const key = master && unseal(master.key, aboutKey(secretId, keyId), wrapped)
  return key ? { id: keyId, key } : null
}
