import type { Cause } from '#contracts/message.ts'
import { ProjectEvent, ReleaseEvent, type ProjectCommand, type ReleaseCommand } from '#contracts/project.ts'
import { projectStream, releaseStream } from '#contracts/subjects.ts'
import type { Answer } from '#contracts/command.ts'
import type { PinnedPackage } from '#contracts/steps/package.ts'
import type { CommandHandlers } from '#libs/ask.ts'
import { isRefusal, refuse } from '#libs/decider.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { answered } from './answered.ts'
import type { Engine } from './engine.ts'
import type { PackageReferences } from './package/references.ts'
import type { PackageLibrary } from './packageLibrary.ts'
import { withPinned, type LookAt } from './pinning.ts'
import { project } from './project/decider.ts'
import { targetRolesOf } from './project/mistakes.ts'
import { release } from './release/decider.ts'
import type { Secrets } from './secrets.ts'
import type { Expand } from './templateAnswers.ts'

export interface Pinning {
  readonly library: PackageLibrary
  readonly lookAt: LookAt
  readonly references: Pick<PackageReferences, 'anticipate'>
}

/** What is asked of projects and releases. A release is made here, from the project as it is at that moment. */
/** @param pinning what fixes the packages of a release */
export function projectAnswers(
  { store, clock }: Platform,
  { fleet }: Engine,
  secrets: Secrets,
  expand: Expand,
  { library, lookAt, references }: Pinning,
) {
  const projects = createHandler({ store, clock, decider: project, schema: ProjectEvent })
  const releases = createHandler({ store, clock, decider: release, schema: ReleaseEvent })
  const loadRelease = (projectId: string, version: string) => releases.load(releaseStream(projectId, version))

  const onProject = async (command: Parameters<typeof projects.handle>[1], cause: Cause): Promise<Answer> => {
    const { projectId } = command.data
    return answered(await projects.handle(projectStream(projectId), command, cause), { id: projectId })
  }

  const answers: CommandHandlers<ProjectCommand | ReleaseCommand> = {
    CreateProject: onProject,
    RenameProject: onProject,

    async ChangeProcess({ type, data }, cause) {
      const { projectId } = data
      const { state } = await projects.load(projectStream(projectId))
      const process = await expand(data.process, projectId, state.process)
      return isRefusal(process) ? process : onProject({ type, data: { ...data, process } }, cause)
    },

    async ChangeVariables(command, cause) {
      const { projectId, variables } = command.data
      return (await secrets.unknown(projectId, variables)) ?? onProject(command, cause)
    },

    /** The keys go first: what is recorded as destroyed is so, and a crash in between is put right by asking again. */
    async DestroyVariable({ data: { projectId, name } }, cause) {
      const { state } = await projects.load(projectStream(projectId))
      if (!state.exists) return refuse('PROJECT_UNKNOWN', `there is no project ${projectId}`)
      const named = Object.entries(state.secrets).filter(([, secret]) => secret.name === name)
      if (named.length === 0) return refuse('VARIABLE_UNKNOWN', `${projectId} has no sensitive variable ${name}`)
      const destroyed = await secrets.destroy(named.map(([secretId, { version }]) => ({ secretId, version })))
      if (isRefusal(destroyed)) return destroyed
      return onProject({ type: 'DestroySecrets', data: { projectId, destroyed } }, cause)
    },

    /** A pin on what does not exist would hold back everything else in silence. */
    async SetReleaseOverride(command, cause) {
      const { projectId, environmentId, version } = command.data
      if (fleet.policyOf(environmentId) === undefined)
        return refuse('ENVIRONMENT_UNKNOWN', `there is no environment ${environmentId}`)
      if (version !== null && (await loadRelease(projectId, version)).state === null)
        return refuse('RELEASE_UNKNOWN', `there is no release ${version} of ${projectId}`)
      return onProject(command, cause)
    },

    async CreateRelease({ data }, cause) {
      const { projectId, version } = data
      const { state } = await projects.load(projectStream(projectId))
      if (!state.exists) return refuse('PROJECT_UNKNOWN', `there is no project ${projectId}`)
      const { process, processVersion, variables } = state
      const snapshot = { ...data, process, processVersion, variables, targetRoles: targetRolesOf(process) }
      const make = async (packages: readonly PinnedPackage[]): Promise<Answer> => {
        const whole = packages.length === 0 ? snapshot : { ...snapshot, packages }
        const stream = releaseStream(projectId, version)
        const handled = await releases.handle(stream, { type: 'CreateRelease', data: whole }, cause)
        if (!isRefusal(handled)) references.anticipate(handled.facts)
        return answered(handled, { projectId, version })
      }
      // One that is there already is answered as before, whatever has become of its packages since.
      const isThere = (await loadRelease(projectId, version)).state !== null
      return isThere ? make([]) : withPinned(process, version, { library, lookAt }, make)
    },
  }
  return { answers, loadRelease }
}
