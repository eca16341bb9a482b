import { createHash } from 'node:crypto'
import { createReadStream, type Stats } from 'node:fs'
import { stat } from 'node:fs/promises'

const knownMax = 10_000

/** What there is at a path; null when there is nothing. */
export const statOf = (path: string): Promise<Stats | null> =>
  stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })

/**
 * Verifies files by their digests. One that has been verified is not read again as long as the system says that nobody
 * has written to it: its size and the time of its last change are the same.
 */
export class Verifier {
  readonly #known = new Map<string, string>()

  async verify(path: string, digest: string): Promise<Stats | 'missing' | 'corrupt'> {
    const found = await statOf(path)
    if (found === null) return 'missing'
    const mark = `${found.ino} ${found.size} ${found.ctimeMs}`
    if (this.#known.get(path) === mark) return found
    if ((await digestOf(path)) !== digest) return 'corrupt'
    if (this.#known.size >= knownMax) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(path, mark)
    return found
  }
}

/** The SHA-256 of a file, in hex. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
