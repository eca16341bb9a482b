import { mkdir, readdir, readlink, rename, rm, stat, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#libs/clock.ts'
import { syncFolder } from '#libs/syncFolder.ts'

const folderMode = 0o755
const digestDigits = 8
const releasePattern = /^[0-9A-Za-z][0-9A-Za-z.+_-]*-[0-9a-f]{8}$/
/** What is unpacked or taken away lies under such names: nobody takes it for a release. */
const passing = { partial: '.partial', gone: '.gone' }

export interface Which {
  readonly projectId: string
  readonly version: string
  readonly digest: string
}

/** What is current from now on, and what was before; null where nothing was, or it is gone. */
export interface Activated {
  readonly folder: string
  readonly previous: string | null
}

/**
 * The releases that are unpacked on this machine: `<project>/<version>-<digest>`, the link `current` to the one that is
 * in use and the link `previous` to the one before it. A link is switched by a rename, so whoever follows it finds the
 * one or the other and never nothing.
 */
export class Releases {
  readonly #folder: string
  readonly #clock: Clock

  constructor(folder: string, clock: Clock) {
    this.#folder = folder
    this.#clock = clock
  }

  folderOf({ projectId, version, digest }: Which): string {
    return join(this.#folder, projectId, `${version}-${digest.slice(0, digestDigits)}`)
  }

  /** Where a release is unpacked before it is one. */
  async partialOf({ projectId }: Which): Promise<string> {
    const project = join(this.#folder, projectId)
    await mkdir(project, { recursive: true, mode: folderMode })
    await this.#clearAway(project)
    return join(project, `${passing.partial}-${this.#clock.id()}`)
  }

  async has(which: Which): Promise<boolean> {
    return (await stat(this.folderOf(which)).catch(() => null))?.isDirectory() ?? false
  }

  /** Makes a release the current one, and remembers the one that was. */
  async activate(which: Which): Promise<Activated> {
    const project = join(this.#folder, which.projectId)
    const folder = this.folderOf(which)
    const name = folder.slice(project.length + 1)
    const before = await this.#linked(project, 'current')
    if (before !== null && before !== name) await this.#link(project, 'previous', before)
    // After the link to the one before: cut off in between, the next try finds what it needs all the same.
    if (before !== name) await this.#link(project, 'current', name)
    const now = new Date(this.#clock.wallMs())
    await utimes(folder, now, now)
    const previous = await this.#linked(project, 'previous')
    return { folder, previous: previous === null || previous === name ? null : join(project, previous) }
  }

  /** Takes away all releases of a project but the ones that were in use last, never the current or the previous one. */
  async prune(projectId: string, keepReleases: number): Promise<void> {
    const project = join(this.#folder, projectId)
    const linked = await this.#linkedAll(project)
    const found: { readonly name: string; readonly usedMs: number }[] = []
    for (const name of await readdir(project)) {
      const is = releasePattern.test(name) ? await stat(join(project, name)).catch(() => null) : null
      if (is?.isDirectory()) found.push({ name, usedMs: is.mtimeMs })
    }
    const spare = found.filter(({ name }) => !linked.includes(name)).sort((a, b) => b.usedMs - a.usedMs)
    const kept = Math.max(0, keepReleases - (found.length - spare.length))
    for (const { name } of spare.slice(kept))
      await rename(join(project, name), join(project, `${passing.gone}-${this.#clock.id()}`))
    await this.#clearAway(project)
  }

  /** Whether the package of this digest is the current or the previous release of some project. */
  isInUse = async (digest: string): Promise<boolean> => {
    for (const projectId of await readdir(this.#folder).catch(() => [])) {
      const linked = await this.#linkedAll(join(this.#folder, projectId))
      if (linked.some((name) => name.endsWith(`-${digest.slice(0, digestDigits)}`))) return true
    }
    return false
  }

  async #linkedAll(project: string): Promise<readonly string[]> {
    const names = await Promise.all([this.#linked(project, 'current'), this.#linked(project, 'previous')])
    return names.filter((name) => name !== null)
  }

  /** The release that a link leads to, when there is one. */
  async #linked(project: string, link: 'current' | 'previous'): Promise<string | null> {
    const name = await readlink(join(project, link)).catch(() => null)
    if (name === null || !releasePattern.test(name)) return null
    return (await stat(join(project, name)).catch(() => null))?.isDirectory() ? name : null
  }

  async #link(project: string, link: 'current' | 'previous', name: string): Promise<void> {
    const beside = join(project, `${passing.gone}-${this.#clock.id()}`)
    await symlink(name, beside)
    await rename(beside, join(project, link))
    await syncFolder(project)
  }

  /** What a crash has left of an unpacking or a removal. */
  async #clearAway(project: string): Promise<void> {
    for (const name of await readdir(project))
      if (Object.values(passing).some((beginning) => name.startsWith(beginning)))
        await rm(join(project, name), { recursive: true, force: true, maxRetries: 3 })
  }
}
