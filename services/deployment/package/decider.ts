import { packageVersionsMax, type PackageCommand, type PackageEvent } from '#contracts/package.ts'
import { refuse, type Decider } from '#libs/decider.ts'
import { retain } from './retention.ts'

export interface PackageVersion {
  readonly digest: string
  readonly sizeBytes: number
  /** Given up: the bytes may be gone, but nothing else may ever go by this name and version. */
  readonly removed: boolean
}

export interface Package {
  /** By version, in the order of the uploads. */
  readonly versions: ReadonlyMap<string, PackageVersion>
}

/** What is asked, with what the edge knows. */
export type PackageRequest = PackageCommand & {
  /** The versions that releases refer to. */
  readonly referred: ReadonlySet<string>
  /** How many of the newest stay when one more comes; null when nothing goes by itself. */
  readonly keepNewest: number | null
}

export const packages: Decider<Package, PackageRequest, PackageEvent> = {
  initial: { versions: new Map() },

  decide(command, state) {
    switch (command.type) {
      case 'AddPackage': {
        const { name, version, digest } = command.data
        const known = state.versions.get(version)
        if (known !== undefined && known.digest !== digest)
          return refuse(
            'PACKAGE_EXISTS',
            `${name} ${version} has the digest ${known.digest} for ever: give other bytes another version`,
          )
        if (known !== undefined && !known.removed) return []
        if (known === undefined && state.versions.size >= packageVersionsMax)
          return refuse('PACKAGE_VERSIONS_TOO_MANY', `${name} has had ${packageVersionsMax} versions: use another name`)
        const uploaded: PackageEvent = { type: 'PackageUploaded', data: command.data }
        const { keepNewest } = command
        if (keepNewest === null) return [uploaded]
        const reason = `no more than ${keepNewest} are kept`
        return [uploaded, ...outlived(packages.evolve(state, uploaded), command, keepNewest, reason)]
      }

      case 'RemovePackage': {
        const { name, version, reason } = command.data
        const known = state.versions.get(version)
        if (known === undefined) return refuse('PACKAGE_UNKNOWN', `there is no package ${name} ${version}`)
        if (known.removed) return []
        if (command.referred.has(version))
          return refuse('PACKAGE_IN_USE', `a release refers to ${name} ${version}, and may be deployed again`)
        return [removed(name, version, known, reason)]
      }

      case 'PrunePackage': {
        const { name, keepNewest, reason } = command.data
        if (state.versions.size === 0) return refuse('PACKAGE_UNKNOWN', `there is no package ${name}`)
        return outlived(state, command, keepNewest, reason)
      }
    }
  },

  evolve(state, event) {
    const { version } = event.data
    const before = new Map(state.versions)
    switch (event.type) {
      case 'PackageUploaded':
        // What comes back after it was given up is the newest again.
        before.delete(version)
        return { versions: before.set(version, { ...bytesOf(event.data), removed: false }) }
      case 'PackageRemoved': {
        const known = before.get(version)
        return known === undefined ? state : { versions: before.set(version, { ...known, removed: true }) }
      }
    }
  },
}

/** Gives up all versions but the newest and those that releases refer to. */
function outlived(
  { versions }: Package,
  { data: { name }, referred }: PackageRequest,
  keepNewest: number,
  why: string,
): readonly PackageEvent[] {
  const live = [...versions].flatMap(([version, known]) => (known.removed ? [] : [version]))
  const verdicts = retain(live, { keepNewest, isReferred: (version) => referred.has(version) })
  return verdicts.flatMap(({ version, keep, reason }) =>
    keep ? [] : [removed(name, version, versions.get(version)!, `${why}: ${reason}`)],
  )
}

const bytesOf = ({ digest, sizeBytes }: Omit<PackageVersion, 'removed'>) => ({ digest, sizeBytes })

const removed = (name: string, version: string, { digest }: PackageVersion, reason: string): PackageEvent => ({
  type: 'PackageRemoved',
  data: { name, version, digest, reason },
})
