export interface Retention {
  /** How many of the newest versions stay, whoever refers to them. */
  readonly keepNewest: number
  /** Whether a release refers to the version, so that it may have to be installed again. */
  readonly isReferred: (version: string) => boolean
}

export interface RetentionVerdict {
  readonly version: string
  readonly keep: boolean
  /** In words for people, since what is given up is asked for one day. */
  readonly reason: string
}

/**
 * Which versions of a package stay and which may go, each with its reason.
 * @param versions in the order of their uploads, the oldest first
 */
export function retain(
  versions: readonly string[],
  { keepNewest, isReferred }: Retention,
): readonly RetentionVerdict[] {
  return versions.map((version, at) => {
    const newer = versions.length - 1 - at
    if (isReferred(version)) return { version, keep: true, reason: 'a release refers to it' }
    if (newer < keepNewest) return { version, keep: true, reason: `it is one of the ${keepNewest} newest` }
    return { version, keep: false, reason: `no release refers to it, and ${newer} versions are newer` }
  })
}
