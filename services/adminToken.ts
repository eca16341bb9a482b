import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeToken } from '#libs/auth.ts'
import type { Clock } from '#libs/clock.ts'

const ownerOnly = 0o600

export const adminTokenPath = (dataFolder: string): string => join(dataFolder, 'admin-token')

/** The token that may do everything: the one that is configured, else the one made at the first start. */
export async function adminTokenOf(dataFolder: string, configured: string | undefined, clock: Clock): Promise<string> {
  if (configured !== undefined) return configured
  const path = adminTokenPath(dataFolder)
  const kept = await readFile(path, 'utf8').catch(() => null)
  if (kept !== null && kept.trim() !== '') return kept.trim()
  const { token: made } = makeToken(clock, 'admin')
  await using file = await open(path, 'w', ownerOnly)
  await file.writeFile(`${made}\n`)
  await file.sync()
  return made
}
