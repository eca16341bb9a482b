import type { Answer } from '#contracts/command.ts'
import type { Cause } from '#contracts/message.ts'
import { PackageEvent, type PackageCommand } from '#contracts/package.ts'
import type { PinnedPackage } from '#contracts/steps/package.ts'
import { packageStream } from '#contracts/subjects.ts'
import type { CommandHandlers } from '#libs/ask.ts'
import { isRefusal, refuse, type Refusal } from '#libs/decider.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { Serial } from '#libs/serial.ts'
import { packages, type Package } from './package/decider.ts'
import type { PackageReferences } from './package/references.ts'

const waitingMax = 1_000

/** The uploaded packages, as releases and deployments need them. */
export interface PackageLibrary {
  readonly answers: CommandHandlers<PackageCommand>
  load(name: string): Promise<Package>
  /** Does something during which no package can be given up: what was found before it ends is there when it has. */
  whileKept(work: () => Promise<Answer>): Promise<Answer>
  /** What is not there any more, of the packages that a release has fixed; null when nothing is missing. */
  missing(pins: readonly PinnedPackage[]): Promise<Refusal | null>
}

/**
 * What is asked of packages. Their bytes are stored before and swept afterwards; here it is decided what they are.
 * @param keepNewest how many of the newest versions of a package stay when one more comes; null when nothing goes by itself
 */
export function packageLibrary(
  { store, clock }: Platform,
  references: Pick<PackageReferences, 'versionsOf'>,
  keepNewest: number | null,
): PackageLibrary {
  const handler = createHandler({ store, clock, decider: packages, schema: PackageEvent })
  const turns = new Serial(waitingMax)
  const load = async (name: string) => (await handler.load(packageStream(name))).state

  // One at a time, or a package could go between the look at it and the release that fixes it.
  const whileKept = (work: () => Promise<Answer>): Promise<Answer> =>
    turns.run('packages', work) ??
    Promise.resolve(refuse('TOO_MANY_REQUESTS', 'too much is asked of packages: ask again in a while'))

  const onPackage = (command: PackageCommand, cause: Cause): Promise<Answer> =>
    whileKept(async () => {
      const { name } = command.data
      const referred = references.versionsOf(name)
      const handled = await handler.handle(packageStream(name), { ...command, referred, keepNewest }, cause)
      if (isRefusal(handled)) return handled
      const versions = handled.facts.map(({ data }) => data.version)
      return { accepted: true, position: handled.position, result: { name, versions } }
    })

  return {
    answers: { AddPackage: onPackage, RemovePackage: onPackage, PrunePackage: onPackage },
    load,
    whileKept,

    async missing(pins) {
      for (const { name, version, source, digest } of pins) {
        if (source !== 'upload') continue
        const known = (await load(name)).versions.get(version)
        if (known === undefined || known.removed || known.digest !== digest)
          return refuse(
            'PACKAGE_UNKNOWN',
            `the release brings ${name} ${version}, which was given up: upload it again, or make another release`,
          )
      }
      return null
    },
  }
}
