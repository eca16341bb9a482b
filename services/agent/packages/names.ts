import { deceitful, PackageFault, shown } from './fault.ts'
import type { UnpackLimits } from './limits.ts'

export type NameLimits = Pick<UnpackLimits, 'pathBytesMax' | 'partBytesMax' | 'depthMax'>

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const drive = /^[A-Za-z]:/
/** Names that Windows keeps for devices, whatever stands behind a dot, and ends that it drops. */
const windowsOnly = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$|[. ]$|[<>:"|?*]/i

/** The text of a name or link target. */
export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw unsafe(Buffer.from(bytes).toString('latin1'), 'is not UTF-8', { cause })
  }
}

/**
 * The parts of a path that leads from the root of the archive to something within it, and nowhere else on any system;
 * none for the root itself.
 * @throws PackageFault PACKAGE_NAME_UNSAFE
 */
export function partsOf(name: string, limits: NameLimits, forWindows: boolean): readonly string[] {
  refuseDeceitful(name, limits)
  // What tar writes of `.` begins with it; anywhere else a dot has no business.
  const relative = name === '.' || name === './' ? '' : name.replace(/^\.\//, '')
  const parts = relative === '' ? [] : relative.replace(/\/$/, '').split('/')
  for (const part of parts) {
    if (part === '') throw unsafe(name, 'has an empty part')
    if (part === '.' || part === '..') throw unsafe(name, 'has a part that is no name')
    refusePart(name, part, limits, forWindows)
  }
  if (parts.length > limits.depthMax) throw unsafe(name, `lies deeper than ${limits.depthMax} folders`)
  return parts
}

/**
 * The same for the target of a symbolic link, which may first climb, and then only descend. Everything that it descends
 * through is a folder or a link that has been held to the same, so that it ends within the root by whatever way.
 * @param depth how many folders lie between the root and the link
 * @throws PackageFault PACKAGE_LINK_UNSAFE
 */
export function refuseTarget(target: string, depth: number, limits: NameLimits, forWindows: boolean): void {
  const wrong = (why: string) => new PackageFault('PACKAGE_LINK_UNSAFE', `the link target ${shown(target)} ${why}`)
  try {
    refuseDeceitful(target, limits)
    const parts = target.split('/').filter((part) => part !== '.' && part !== '')
    const firstName = parts.findIndex((part) => part !== '..')
    const climbs = firstName < 0 ? parts.length : firstName
    if (climbs > depth) throw wrong('leads out of the package')
    if (target === '') throw wrong('is empty')
    for (const part of parts.slice(climbs)) {
      if (part === '..') throw wrong('climbs after it has descended')
      refusePart(target, part, limits, forWindows)
    }
  } catch (error) {
    if (error instanceof PackageFault && error.code === 'PACKAGE_NAME_UNSAFE')
      throw new PackageFault('PACKAGE_LINK_UNSAFE', `a link target, ${error.message}`, { cause: error })
    throw error
  }
}

/** Alike for names that some system takes for one: other case, or other code points for the same letters. */
export const foldedName = (name: string): string => name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')

function refuseDeceitful(name: string, { pathBytesMax }: NameLimits): void {
  if (name.search(deceitful) >= 0) throw unsafe(name, 'has a control character')
  if (name.includes('\\')) throw unsafe(name, 'has a backslash')
  if (name.startsWith('/')) throw unsafe(name, 'begins at the root of the system')
  if (drive.test(name)) throw unsafe(name, 'names a drive')
  if (Buffer.byteLength(name) > pathBytesMax) throw unsafe(name, `is longer than ${pathBytesMax} bytes`)
}

function refusePart(name: string, part: string, { partBytesMax }: NameLimits, forWindows: boolean): void {
  if (Buffer.byteLength(part) > partBytesMax) throw unsafe(name, `has a part longer than ${partBytesMax} bytes`)
  if (forWindows && windowsOnly.test(part)) throw unsafe(name, 'means something else on Windows')
}

const unsafe = (name: string, why: string, options?: ErrorOptions) =>
  new PackageFault('PACKAGE_NAME_UNSAFE', `the name ${shown(name)} ${why}`, options)
