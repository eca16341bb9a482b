import { closeSync, openSync } from 'node:fs'

const ownerOnly = 0o600

/**
 * Makes sure that there is a file that nobody but its owner can read, whoever may look into its folder. One that is
 * there already stays as its owner has made it. What SQLite puts beside a database has the same permissions. Where it
 * cannot be made, whoever opens it next says why.
 */
export function ensurePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'a', ownerOnly))
  } catch {
    return
  }
}
