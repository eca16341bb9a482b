import { randomBytes } from 'node:crypto'
import { chownSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeKeys } from './nats/keys.ts'

const secretBytes = 32
/** The user of the images. */
const imageUserId = 65_532

/**
 * Makes the secrets of compose.yaml in an empty folder: a key of NATS for each service, the admin token, the master key of
 * sensitive values, and the password and address of the event store. What is there already is never written over.
 */
function makeSecrets(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const secret = () => randomBytes(secretBytes).toString('base64url')
  const password = secret()
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600, flag: 'wx' })
  write('admin-token', secret())
  write('master-key', `${randomBytes(secretBytes).toString('base64')}\n`)
  write('postgres-password', password)
  write('store-url', `postgres://remuda:${password}@postgres:5432/remuda`)
  // Replaced by a token of the server's making once agents are wanted.
  write('join-token', '')
  makeKeys(folder, [])
  // Compose hands files to containers as they are, so their user has to be able to read them.
  if (process.getuid?.() === 0)
    for (const file of globSync('*', { cwd: folder })) chownSync(join(folder, file), imageUserId, imageUserId)
}

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  process.stderr.write('Usage: node deploy/secrets.ts FOLDER\n')
  process.exit(2)
}
makeSecrets(folder)
