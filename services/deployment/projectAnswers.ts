import type { Cause } from '#contracts/message.ts'
import { ProjectEvent, type ProjectCommand } from '#contracts/project.ts'
import { projectStream } from '#contracts/subjects.ts'
import type { Answer } from '#contracts/command.ts'
import type { CommandHandlers } from '#libs/ask.ts'
import { isRefusal, refuse } from '#libs/decider.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { answered } from './answered.ts'
import type { Engine } from './engine.ts'
import { project } from './project/decider.ts'
import type { LoadRelease } from './releaseAnswers.ts'
import type { Secrets } from './secrets.ts'
import type { Expand } from './templateAnswers.ts'

/** What is asked of projects. What a template stands for is written out before a process is looked at. */
export function projectAnswers(
  { store, clock }: Platform,
  { fleet }: Engine,
  secrets: Secrets,
  expand: Expand,
  loadRelease: LoadRelease,
): CommandHandlers<ProjectCommand> {
  const projects = createHandler({ store, clock, decider: project, schema: ProjectEvent })

  const onProject = async (command: Parameters<typeof projects.handle>[1], cause: Cause): Promise<Answer> => {
    const { projectId } = command.data
    return answered(await projects.handle(projectStream(projectId), command, cause), { id: projectId })
  }

  const answers: CommandHandlers<ProjectCommand> = {
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
  }
  return answers
}
