import type { Answer } from '#contracts/command.ts'
import type { Cause } from '#contracts/message.ts'
import { PackageEvent, type PackageCommand } from '#contracts/package.ts'
import { packageStream } from '#contracts/subjects.ts'
import type { CommandHandlers } from '#libs/ask.ts'
import { isRefusal } from '#libs/decider.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { packages } from './package/decider.ts'

/** Which versions of a package releases refer to. */
export type ReferredVersions = (name: string) => ReadonlySet<string>

/** What is asked of packages. Their bytes are stored before and swept afterwards; here it is decided what they are. */
export function packageAnswers(
  { store, clock }: Platform,
  referredVersions: ReferredVersions,
): CommandHandlers<PackageCommand> {
  const handler = createHandler({ store, clock, decider: packages, schema: PackageEvent })

  const onPackage = async (command: PackageCommand, cause: Cause): Promise<Answer> => {
    const { name } = command.data
    const handled = await handler.handle(packageStream(name), { ...command, referred: referredVersions(name) }, cause)
    if (isRefusal(handled)) return handled
    const versions = handled.facts.map(({ data }) => data.version)
    return { accepted: true, position: handled.position, result: { name, versions } }
  }
  return { AddPackage: onPackage, RemovePackage: onPackage, PrunePackage: onPackage }
}
