import { mkdir, readdir, readlink, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { PackageOrder } from '#contracts/agent.ts'
import type { Clock } from '#libs/clock.ts'
import { syncFolder } from '#libs/syncFolder.ts'

const folderMode = 0o755
const digestDigits = 8
const releasePattern = /^[0-9A-Za-z][0-9A-Za-z.+_-]*-[0-9a-f]{8}$/
/** What is unpacked or taken away lies under such names: nobody takes it for a release. */
const passing = { partial: '.partial', gone: '.gone' }
/** A file of such a name says that the release of the same name is on trial. */
const trial = '.trial-'

export type Which = Pick<PackageOrder, 'projectId' | 'name' | 'version' | 'digest'>

/**
 * The versions of packages that are unpacked on this machine: `<project>/<package>/<version>-<digest>`, the link
 * `current` to the one that is in use and the link `previous` to the one before it. A link is switched by a rename, so
 * whoever follows it finds the one or the other and never nothing. One that is not in use yet is on trial: whatever has
 * become of it in a script that did not end well, it is not what the archive holds and is never used again.
 */
export class Releases {
  readonly #folder: string
  readonly #clock: Clock
  /** By folder: how many work with it, so that it must not go. */
  readonly #held = new Map<string, number>()

  constructor(folder: string, clock: Clock) {
    this.#folder = folder
    this.#clock = clock
  }

  folderOf(which: Which): string {
    return join(this.#placeOf(which), `${which.version}-${which.digest.slice(0, digestDigits)}`)
  }

  /** Keeps a release from being taken away until what it returns is called. */
  hold(which: Which): () => void {
    const folder = this.folderOf(which)
    this.#held.set(folder, (this.#held.get(folder) ?? 0) + 1)
    return () => {
      const left = this.#held.get(folder)! - 1
      if (left === 0) this.#held.delete(folder)
      else this.#held.set(folder, left)
    }
  }

  /** Puts a release on trial that is about to be unpacked, and says where that is done. */
  async begin(which: Which): Promise<string> {
    const place = this.#placeOf(which)
    await mkdir(place, { recursive: true, mode: folderMode })
    await this.#clearAway(place)
    await writeFile(join(place, trial + basename(this.folderOf(which))), '')
    return join(place, `${passing.partial}-${this.#clock.id()}`)
  }

  async has(which: Which): Promise<boolean> {
    return (await stat(this.folderOf(which)).catch(() => null))?.isDirectory() ?? false
  }

  /** Takes away the releases of a package whose trial has not ended well. */
  async endTrials(which: Which): Promise<void> {
    const place = this.#placeOf(which)
    for (const name of await readdir(place).catch(() => [])) {
      const folder = join(place, name.slice(trial.length))
      if (!name.startsWith(trial) || this.#held.has(folder)) continue
      await this.#setAside(folder)
      // The mark goes last: cut off in between, the next look ends the trial.
      await rm(join(place, name), { force: true })
    }
  }

  /** Where the release is that is in use, or was before this one; null when there is none. */
  async before(which: Which): Promise<string | null> {
    const place = this.#placeOf(which)
    const name = basename(this.folderOf(which))
    const current = await this.#linked(place, 'current')
    const before = current === name ? await this.#linked(place, 'previous') : current
    return before === null || before === name ? null : join(place, before)
  }

  /** Makes a release the current one, and remembers the one that was. */
  async activate(which: Which): Promise<void> {
    const place = this.#placeOf(which)
    const folder = this.folderOf(which)
    const name = basename(folder)
    const before = await this.#linked(place, 'current')
    // Its trial ends first: what is in use must never be taken for one that failed.
    await rm(join(place, trial + name), { force: true })
    if (before !== null && before !== name) await this.#link(place, 'previous', before)
    // After the link to the one before: cut off in between, the next try finds what it needs all the same.
    if (before !== name) await this.#link(place, 'current', name)
    const now = new Date(this.#clock.wallMs())
    await utimes(folder, now, now)
  }

  /** Takes away all but the releases of a package that were in use last, never the current or the previous one. */
  async prune(which: Which, keep: number): Promise<void> {
    const place = this.#placeOf(which)
    await this.endTrials(which)
    const linked = await this.#linkedAll(place)
    const found: { readonly name: string; readonly usedMs: number }[] = []
    for (const name of await readdir(place)) {
      const is = releasePattern.test(name) ? await stat(join(place, name)).catch(() => null) : null
      if (is?.isDirectory()) found.push({ name, usedMs: is.mtimeMs })
    }
    const isSpare = ({ name }: { readonly name: string }) =>
      !linked.includes(name) && !this.#held.has(join(place, name))
    const spare = found.filter(isSpare).sort((a, b) => b.usedMs - a.usedMs)
    const kept = Math.max(0, keep - (found.length - spare.length))
    for (const { name } of spare.slice(kept)) await this.#setAside(join(place, name))
    await this.#clearAway(place)
  }

  /** Whether the archive of this digest is the current or the previous version of some package. */
  isInUse = async (digest: string): Promise<boolean> => {
    for (const projectId of await readdir(this.#folder).catch(() => []))
      for (const name of await readdir(join(this.#folder, projectId)).catch(() => [])) {
        const linked = await this.#linkedAll(join(this.#folder, projectId, name))
        if (linked.some((release) => release.endsWith(`-${digest.slice(0, digestDigits)}`))) return true
      }
    return false
  }

  #placeOf({ projectId, name }: Which): string {
    return join(this.#folder, projectId, name)
  }

  async #linkedAll(place: string): Promise<readonly string[]> {
    const names = await Promise.all([this.#linked(place, 'current'), this.#linked(place, 'previous')])
    return names.filter((name) => name !== null)
  }

  /** The release that a link leads to, when there is one. */
  async #linked(place: string, link: 'current' | 'previous'): Promise<string | null> {
    const name = await readlink(join(place, link)).catch(() => null)
    if (name === null || !releasePattern.test(name)) return null
    return (await stat(join(place, name)).catch(() => null))?.isDirectory() ? name : null
  }

  async #link(place: string, link: 'current' | 'previous', name: string): Promise<void> {
    const beside = join(place, `${passing.gone}-${this.#clock.id()}`)
    await symlink(name, beside)
    await rename(beside, join(place, link))
    await syncFolder(place)
  }

  /** Out of the way by a rename, so that nobody ever finds the half of it. */
  async #setAside(folder: string): Promise<void> {
    await rename(folder, join(dirname(folder), `${passing.gone}-${this.#clock.id()}`)).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      },
    )
  }

  /** What a crash has left of an unpacking or a removal. */
  async #clearAway(place: string): Promise<void> {
    for (const name of await readdir(place))
      if (Object.values(passing).some((beginning) => name.startsWith(beginning)))
        await rm(join(place, name), { recursive: true, force: true, maxRetries: 3 })
  }
}
