import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nkeys } from '@nats-io/transport-node'
import { keyVariableOf, readUsers } from './conf.ts'
import { toolsName } from './permissions.ts'

const ownerOnly = 0o600
const ownerOnlyFolder = 0o700

/**
 * Makes a key for every user: its seed in a file that only its owner reads, for `REMUDA_NATS_NKEY`, and its public half
 * in `nats.env`, for the server of NATS. Keys that are there already are never written over.
 */
export function makeKeys(folder: string, words: readonly string[]): void {
  const { users, systems } = readUsers(words)
  mkdirSync(folder, { recursive: true, mode: ownerOnlyFolder })
  const variables = [...users.map(({ name }) => name), ...systems, toolsName].map((name) => {
    const pair = nkeys.createUser()
    const seed = new TextDecoder().decode(pair.getSeed())
    writeFileSync(join(folder, `${name}.nk`), `${seed}\n`, { mode: ownerOnly, flag: 'wx' })
    return `${keyVariableOf(name)}=${pair.getPublicKey()}\n`
  })
  writeFileSync(join(folder, 'nats.env'), variables.join(''), { flag: 'wx' })
}

if (import.meta.main) {
  const [folder, ...words] = process.argv.slice(2)
  if (folder === undefined) {
    process.stderr.write('Usage: node deploy/nats/keys.ts FOLDER [the same users as for conf.ts]\n')
    process.exit(2)
  }
  makeKeys(folder, words)
}
