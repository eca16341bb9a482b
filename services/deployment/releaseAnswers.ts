import type { Answer } from '#contracts/command.ts'
import type { Cause } from '#contracts/message.ts'
import { ProjectEvent, ReleaseEvent, type ReleaseCommand } from '#contracts/project.ts'
import { projectStream, releaseStream } from '#contracts/subjects.ts'
import type { CommandHandlers } from '#libs/ask.ts'
import { isRefusal, refuse } from '#libs/decider.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { answered } from './answered.ts'
import type { PackageReferences } from './package/references.ts'
import type { PackageLibrary } from './packageLibrary.ts'
import { withPinned, type LookAt } from './pinning.ts'
import { project } from './project/decider.ts'
import { targetRolesOf } from './project/mistakes.ts'
import { release, type Release } from './release/decider.ts'

export interface Pinning {
  readonly library: PackageLibrary
  readonly lookAt: LookAt
  readonly references: Pick<PackageReferences, 'anticipate'>
}

/**
 * What is asked of releases. One is made here, from the project as it is at that moment.
 * @param pinning what fixes the packages of a release
 */
export function releaseAnswers({ store, clock }: Platform, { library, lookAt, references }: Pinning) {
  const projects = createHandler({ store, clock, decider: project, schema: ProjectEvent })
  const releases = createHandler({ store, clock, decider: release, schema: ReleaseEvent })
  const loadRelease = (projectId: string, version: string) => releases.load(releaseStream(projectId, version))

  const make = async (data: NonNullable<Release>, cause: Cause): Promise<Answer> => {
    const { projectId, version } = data
    const handled = await releases.handle(releaseStream(projectId, version), { type: 'CreateRelease', data }, cause)
    if (!isRefusal(handled)) references.anticipate(handled.facts)
    return answered(handled, { projectId, version })
  }

  const answers: CommandHandlers<ReleaseCommand> = {
    async CreateRelease({ data }, cause) {
      const { projectId, version } = data
      const { state } = await projects.load(projectStream(projectId))
      if (!state.exists) return refuse('PROJECT_UNKNOWN', `there is no project ${projectId}`)
      const { process, processVersion, variables } = state
      const snapshot = { ...data, process, processVersion, variables, targetRoles: targetRolesOf(process) }
      // One that is there already is answered as before, whatever has become of its packages since.
      if ((await loadRelease(projectId, version)).state !== null) return make(snapshot, cause)
      return withPinned(process, version, { library, lookAt }, (packages) =>
        make(packages.length === 0 ? snapshot : { ...snapshot, packages }, cause),
      )
    },
  }
  return { answers, loadRelease }
}

/** The release of this version; its state is null when there is none. */
export type LoadRelease = ReturnType<typeof releaseAnswers>['loadRelease']
