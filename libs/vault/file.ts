import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { createFile, readIfThere, replaceFile } from '../durableFile.ts'
import { DataKeys } from './dataKeys.ts'
import { seal, unseal } from './seal.ts'
import { secretIdOf, type SecretOwner, type SecretRead, type SecretVersion, type Vault } from './vault.ts'

// The idea: the folder of a secret holds its key, wrapped by the master key, and a file for each version of its value.
// Files are only ever made or taken away whole, so any number of processes can share the folder without a lock. A value
// says under which key it is: when the secret was destroyed and set again, what is older stays unreadable.

const ownerOnly = 0o700
const attemptsMax = 5
const idPattern = /^[0-9a-f]{32}$/
const versionPattern = /^[1-9][0-9]{0,8}$/

const Sealed = z.object({ keyId: z.string(), sealed: z.string() })

/**
 * A vault in a folder, which several processes may share.
 * @param masterKeyFile read anew whenever a key is needed, so that a new master key needs no restart
 */
export class FileVault implements Vault {
  readonly #folder: string
  readonly #clock: Clock
  readonly #keys: DataKeys

  constructor(folder: string, masterKeyFile: string, clock: Clock) {
    this.#folder = folder
    this.#clock = clock
    this.#keys = new DataKeys(clock, masterKeyFile)
  }

  async put(owner: SecretOwner, value: string): Promise<SecretVersion> {
    const secretId = secretIdOf(owner)
    const folder = this.#folderOf(secretId)
    await mkdir(folder, { recursive: true, mode: ownerOnly })
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const { id: keyId, key } = await this.#keys.ensure(folder, secretId)
      const version = (await lastVersion(folder)) + 1
      const sealed = seal(this.#clock, key, aboutValue(owner, version, keyId), Buffer.from(value))
      if (!(await createFile(join(folder, String(version)), JSON.stringify({ keyId, sealed }), this.#clock))) continue
      const now = await this.#keys.read(folder, secretId)
      if (now !== null && now !== 'unreadable' && now.id === keyId) return { secretId, version }
      // It was destroyed in this moment, and what was put with it: this value is not meant.
    }
    throw new Error(`secret ${secretId} could not be kept in ${attemptsMax} attempts`)
  }

  async read(owner: SecretOwner, { secretId, version }: SecretVersion): Promise<SecretRead> {
    if (secretId !== secretIdOf(owner)) return 'unreadable'
    const folder = this.#folderOf(secretId)
    const text = await readIfThere(join(folder, String(version)))
    const key = await this.#keys.read(folder, secretId)
    if (text === null || key === 'unreadable') return 'unreadable'
    const stored = parse(text)
    if (stored === null) return 'unreadable'
    if (key === null || stored.keyId !== key.id) return 'destroyed'
    const value = unseal(key.key, aboutValue(owner, version, key.id), stored.sealed)
    return value === null ? 'unreadable' : { value: value.toString('utf8') }
  }

  async discard({ secretId, version }: SecretVersion): Promise<void> {
    // Its number stays taken, so that no other value can ever be meant by it.
    await replaceFile(join(this.#folderOf(secretId), String(version)), '{}', this.#clock)
  }

  async destroy(secretId: string): Promise<number> {
    const folder = this.#folderOf(secretId)
    await this.#keys.destroy(folder)
    return lastVersion(folder)
  }

  /** Wraps every key by the first of the master keys; answers for how many, and which could not be opened. */
  async rewrapAll(): Promise<{ readonly secrets: number; readonly unreadable: readonly string[] }> {
    const names = await readdir(this.#folder).catch(emptyWhenMissing)
    const unreadable: string[] = []
    const secretIds = names.filter((name) => idPattern.test(name))
    for (const secretId of secretIds)
      if (!(await this.#keys.rewrap(this.#folderOf(secretId), secretId))) unreadable.push(secretId)
    return { secrets: secretIds.length, unreadable }
  }

  #folderOf(secretId: string): string {
    if (!idPattern.test(secretId)) throw new Error('the id of a secret has 32 hexadecimal digits')
    return join(this.#folder, secretId)
  }
}

const aboutValue = ({ projectId, name, scope }: SecretOwner, version: number, keyId: string) =>
  ['remuda-secret-v1', projectId, name, scope, version, keyId] as const

async function lastVersion(folder: string): Promise<number> {
  const names = await readdir(folder).catch(emptyWhenMissing)
  return Math.max(0, ...names.filter((name) => versionPattern.test(name)).map(Number))
}

function parse(text: string): z.infer<typeof Sealed> | null {
  try {
    return Sealed.parse(JSON.parse(text))
  } catch {
    return null
  }
}

function emptyWhenMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}
