import { PackageFault, shown } from './fault.ts'
import type { UnpackLimits } from './limits.ts'
import { foldedName, partsOf, refuseTarget, textOf } from './names.ts'

/** What an archive says of one entry, not yet believed. */
export interface ClaimedEntry {
  readonly name: Uint8Array
  readonly kind: 'file' | 'folder' | 'symlink' | 'hardlink'
  readonly mode: number
  readonly sizeBytes: number
  /** Of a link: where it leads. */
  readonly target: Uint8Array | null
}

/** What is made of an entry. Paths are from the root of the package, with slashes. */
export type Planned =
  | { readonly kind: 'root' }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly folders: readonly string[] }
  | { readonly kind: 'folder'; readonly folders: readonly string[] }
  | {
      readonly kind: 'symlink' | 'hardlink'
      readonly path: string
      readonly target: string
      readonly folders: readonly string[]
    }

interface Known {
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link'
  /** A folder that only follows from what lies in it may still come as an entry of its own. */
  readonly isImplied: boolean
}

const specialBits = 0o7000
const executeBits = 0o111
const fileMode = { plain: 0o644, executable: 0o755 }

/**
 * What may come out of an archive: plain files, folders and links that stay within, under names that mean the same
 * everywhere and to everyone. Whatever is odd is refused and never put right, since what two readers of an archive
 * understand differently is how something slips past one of them.
 */
export class Rules {
  readonly #limits: UnpackLimits
  readonly #forWindows: boolean
  readonly #known = new Map<string, Known>()
  #entries = 0

  constructor(limits: UnpackLimits, { forWindows = false } = {}) {
    this.#limits = limits
    this.#forWindows = forWindows
  }

  /** What is there when all that was planned has been made. */
  get paths(): ReadonlyMap<string, Known['kind']> {
    return new Map([...this.#known.values()].map(({ path, kind }) => [path, kind]))
  }

  /**
   * Decides what is made of the next entry.
   * @throws PackageFault when it breaks a rule
   */
  plan(entry: ClaimedEntry): Planned {
    const { entriesMax, fileBytesMax } = this.#limits
    if ((this.#entries += 1) > entriesMax) throw tooLarge(`it has more than ${entriesMax} entries`)
    const name = textOf(entry.name)
    const parts = partsOf(name, this.#limits, this.#forWindows)
    if ((entry.mode & specialBits) !== 0)
      throw new PackageFault('PACKAGE_MODE_UNSAFE', `${shown(name)} is setuid, setgid or sticky`)
    if (entry.sizeBytes > fileBytesMax) throw tooLarge(`${shown(name)} has more than ${fileBytesMax} bytes`)
    if (parts.length === 0) return this.#planRoot(entry, name)
    const folders = this.#implyFolders(parts)
    const path = parts.join('/')
    if (entry.kind !== 'folder' && name.endsWith('/'))
      throw new PackageFault('PACKAGE_NAME_UNSAFE', `${shown(name)} is called like a folder and is none`)
    switch (entry.kind) {
      case 'folder':
        return { kind: 'folder', folders: this.#addFolder(path) ? [...folders, path] : folders }
      case 'file': {
        this.#add(path, 'file')
        const mode = (entry.mode & executeBits) === 0 ? fileMode.plain : fileMode.executable
        return { kind: 'file', path, mode, folders }
      }
      case 'symlink': {
        const target = textOf(entry.target ?? new Uint8Array())
        refuseTarget(target, parts.length - 1, this.#limits, this.#forWindows)
        this.#add(path, 'link')
        return { kind: 'symlink', path, target, folders }
      }
      case 'hardlink': {
        const target = this.#linked(textOf(entry.target ?? new Uint8Array()))
        this.#add(path, 'file')
        return { kind: 'hardlink', path, target, folders }
      }
    }
  }

  #planRoot({ kind }: ClaimedEntry, name: string): Planned {
    if (kind === 'folder') return { kind: 'root' }
    throw new PackageFault('PACKAGE_NAME_UNSAFE', `${shown(name)} is called like the package itself`)
  }

  /** A hard link may only be another name of a file that this archive has brought. */
  #linked(target: string): string {
    const path = partsOf(target, this.#limits, this.#forWindows).join('/')
    const known = this.#known.get(foldedName(path))
    if (known?.kind === 'file' && known.path === path) return path
    throw new PackageFault('PACKAGE_LINK_UNSAFE', `${shown(target)} is linked to and is no file that came before`)
  }

  /** Every folder above an entry is a real one, spelt the same each time. Answers those that are new. */
  #implyFolders(parts: readonly string[]): readonly string[] {
    const fresh: string[] = []
    for (let depth = 1; depth < parts.length; depth++) {
      const path = parts.slice(0, depth).join('/')
      const known = this.#known.get(foldedName(path))
      if (known === undefined) {
        this.#known.set(foldedName(path), { path, kind: 'folder', isImplied: true })
        fresh.push(path)
      } else if (known.path !== path) throw twice(path, known.path)
      else if (known.kind !== 'folder')
        throw new PackageFault('PACKAGE_LINK_UNSAFE', `${shown(path)} is a ${known.kind} and has something below it`)
    }
    return fresh
  }

  /** Whether the folder is new. */
  #addFolder(path: string): boolean {
    const known = this.#known.get(foldedName(path))
    if (known !== undefined && !(known.isImplied && known.path === path)) throw twice(path, known.path)
    this.#known.set(foldedName(path), { path, kind: 'folder', isImplied: false })
    return known === undefined
  }

  #add(path: string, kind: Known['kind']): void {
    const known = this.#known.get(foldedName(path))
    if (known !== undefined) throw twice(path, known.path)
    this.#known.set(foldedName(path), { path, kind, isImplied: false })
  }
}

/** Counts what comes out of an archive as it comes, whatever the archive has said of it. */
export class Meter {
  readonly #limits: UnpackLimits
  readonly #bytesMax: number
  #bytes = 0

  constructor(limits: UnpackLimits, archiveBytes: number) {
    this.#limits = limits
    this.#bytesMax = Math.max(limits.ratioFreeBytes, limits.ratioMax * archiveBytes)
  }

  /** @throws PackageFault when more has come out than may */
  count(bytes: number): void {
    this.#bytes += bytes
    const { unpackedBytesMax, ratioMax } = this.#limits
    if (this.#bytes > unpackedBytesMax) throw tooLarge(`more than ${unpackedBytesMax} bytes come out of it`)
    if (this.#bytes > this.#bytesMax) throw tooLarge(`more than ${ratioMax} times its own size comes out of it`)
  }
}

const tooLarge = (why: string) => new PackageFault('PACKAGE_TOO_LARGE', why)
const twice = (path: string, known: string) =>
  new PackageFault('PACKAGE_NAME_TWICE', `${shown(path)} and ${shown(known)} are or may be one name`)
