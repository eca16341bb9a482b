import type { Cause } from '#contracts/message.ts'
import { ProjectEvent, ReleaseEvent, type ProjectCommand, type ReleaseCommand } from '#contracts/project.ts'
import { projectStream, releaseStream } from '#contracts/subjects.ts'
import type { Answer } from '#contracts/command.ts'
import type { CommandHandlers } from '#libs/ask.ts'
import { refuse } from '#libs/decider.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { answered } from './answered.ts'
import type { Engine } from './engine.ts'
import { project } from './project/decider.ts'
import { targetRolesOf } from './project/mistakes.ts'
import { release } from './release/decider.ts'

/** What is asked of projects and releases. A release is made here, from the project as it is at that moment. */
export function projectAnswers({ store, clock }: Platform, { fleet }: Engine) {
  const projects = createHandler({ store, clock, decider: project, schema: ProjectEvent })
  const releases = createHandler({ store, clock, decider: release, schema: ReleaseEvent })
  const loadRelease = (projectId: string, version: string) => releases.load(releaseStream(projectId, version))

  const onProject = async (command: ProjectCommand, cause: Cause): Promise<Answer> => {
    const { projectId } = command.data
    return answered(await projects.handle(projectStream(projectId), command, cause), { id: projectId })
  }

  const answers: CommandHandlers<ProjectCommand | ReleaseCommand> = {
    CreateProject: onProject,
    RenameProject: onProject,
    ChangeProcess: onProject,
    ChangeVariables: onProject,

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
      const stream = releaseStream(projectId, version)
      return answered(await releases.handle(stream, { type: 'CreateRelease', data: snapshot }, cause), {
        projectId,
        version,
      })
    },
  }
  return { answers, loadRelease }
}
