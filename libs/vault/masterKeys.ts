import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { createFile, readIfThere, replaceFile } from '../durableFile.ts'
import { OperatorFault } from '../lifecycle.ts'
import { keyBytes } from './seal.ts'

const idChars = 16
const keyLine = /^[A-Za-z0-9+/]{43}=$/

/** Wraps the keys of secrets. Named by a hash, so that what is wrapped can say by which key. */
export interface MasterKey {
  readonly id: string
  readonly key: Uint8Array
}

/**
 * The master keys in a file, one on each line as 32 bytes in base64: the first is used, the others are still accepted.
 * @throws OperatorFault when the file cannot be read or holds anything else
 */
export async function readMasterKeys(path: string): Promise<readonly [MasterKey, ...MasterKey[]]> {
  const text = await readIfThere(path).catch((error: NodeJS.ErrnoException) => {
    throw new OperatorFault(`The master key ${path} cannot be read (${error.code ?? error.message}).`)
  })
  const lines = (text ?? '').split('\n').filter((line) => line.trim() !== '')
  const keys = lines.map((line, at) => {
    if (!keyLine.test(line.trim()))
      throw new OperatorFault(`Line ${at + 1} of ${path} is no master key. Make one with: openssl rand -base64 32`)
    const key = Buffer.from(line, 'base64')
    return { id: createHash('sha256').update(key).digest('hex').slice(0, idChars), key }
  })
  const [first, ...others] = keys
  if (first !== undefined) return [first, ...others]
  throw new OperatorFault(`There is no master key in ${path}. Make one with: openssl rand -base64 32 > ${path}`)
}

/** Makes the file with one key, unless there is one. */
export async function ensureMasterKey(path: string, clock: Clock): Promise<void> {
  if ((await readIfThere(path)) === null) await createFile(path, newKeyLine(clock), clock)
}

/** Puts a new key before the others. */
export async function addMasterKey(path: string, clock: Clock): Promise<void> {
  const keys = await readMasterKeys(path)
  await replaceFile(path, newKeyLine(clock) + keys.map(lineOf).join(''), clock)
}

/** Takes all keys but the first away. */
export async function dropOldMasterKeys(path: string, clock: Clock): Promise<void> {
  const [first] = await readMasterKeys(path)
  await replaceFile(path, lineOf(first), clock)
}

const newKeyLine = (clock: Clock): string => `${Buffer.from(clock.bytes(keyBytes)).toString('base64')}\n`
const lineOf = ({ key }: MasterKey): string => `${Buffer.from(key).toString('base64')}\n`
