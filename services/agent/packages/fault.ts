import type { FailureReason } from '../ports.ts'

/** Why a package cannot be installed. A code means one thing for ever. */
export type PackageFaultCode =
  | 'PACKAGE_NAME_UNSAFE'
  | 'PACKAGE_NAME_TWICE'
  | 'PACKAGE_LINK_UNSAFE'
  | 'PACKAGE_KIND_UNSAFE'
  | 'PACKAGE_MODE_UNSAFE'
  | 'PACKAGE_TOO_LARGE'
  | 'PACKAGE_MALFORMED'
  | 'PACKAGE_FORMAT_UNKNOWN'
  | 'PACKAGE_DOWNLOAD_FAILED'
  | 'PACKAGE_DOWNLOAD_LATE'
  | 'PACKAGE_DIGEST_WRONG'
  | 'PACKAGE_URL_UNSAFE'
  | 'PACKAGE_DISK_FULL'

/** How a task fails that needs the package: whether it did not come, was another one, or broke the rules. */
const failures = {
  PACKAGE_NAME_UNSAFE: 'archive-refused',
  PACKAGE_NAME_TWICE: 'archive-refused',
  PACKAGE_LINK_UNSAFE: 'archive-refused',
  PACKAGE_KIND_UNSAFE: 'archive-refused',
  PACKAGE_MODE_UNSAFE: 'archive-refused',
  PACKAGE_TOO_LARGE: 'archive-refused',
  PACKAGE_MALFORMED: 'archive-refused',
  PACKAGE_FORMAT_UNKNOWN: 'archive-refused',
  PACKAGE_DOWNLOAD_FAILED: 'download-failed',
  PACKAGE_DOWNLOAD_LATE: 'download-failed',
  PACKAGE_URL_UNSAFE: 'download-failed',
  PACKAGE_DIGEST_WRONG: 'digest-wrong',
  PACKAGE_DISK_FULL: 'could-not-start',
} as const satisfies Record<PackageFaultCode, FailureReason>

const shownCharsMax = 200
/** Controls, and marks that make a text read otherwise than it is written. */
export const deceitful = /[\0-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** A package that is not installed, with a code and in words for people. */
export class PackageFault extends Error {
  override readonly name = 'PackageFault'
  readonly code: PackageFaultCode

  constructor(code: PackageFaultCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options)
    this.code = code
  }
}

/** Why a task fails that an error has kept from its package. */
export const failureOf = (error: unknown): FailureReason =>
  error instanceof PackageFault ? failures[error.code] : 'could-not-start'

/** A name from an archive, fit to be shown: what is in it may be meant to deceive whoever reads it. */
export const shown = (name: string): string =>
  JSON.stringify(name.slice(0, shownCharsMax)).replaceAll(deceitful, (letter) => {
    const digits = letter.charCodeAt(0).toString(16).padStart(4, '0')
    return `\\u${digits}`
  })

/** A full disk, said in our words; anything else as it is. */
export function asFault(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  return isFull
    ? new PackageFault('PACKAGE_DISK_FULL', 'there is no room for it on the disk of the machine', { cause: error })
    : error
}
