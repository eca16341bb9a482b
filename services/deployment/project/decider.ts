import type { ProjectCommand, ProjectEvent } from '#contracts/project.ts'
import type { Process, Variable } from '#contracts/process.ts'
import { isRefusal, refuse, type Decider } from '#libs/decider.ts'
import { processMistakes } from './mistakes.ts'
import { changeVariables, destroySecrets, type DestroySecrets, type Secret } from './variables.ts'

/** Here a process names no template any more: the edge, which has the templates, has put their steps in place. */
interface ChangeProcess {
  readonly type: 'ChangeProcess'
  readonly data: { readonly projectId: string; readonly process: Process; readonly expectedVersion: number | null }
}

/** What is destroyed is known only where the vault is: the request for it becomes `DestroySecrets` there. */
type Command = Exclude<ProjectCommand, { type: 'DestroyVariable' | 'ChangeProcess' }> | ChangeProcess | DestroySecrets

export interface Project {
  readonly exists: boolean
  readonly name: string
  readonly process: Process
  readonly processVersion: number
  readonly variables: readonly Variable[]
  /** How often the variables were changed. */
  readonly variablesVersion: number
  /** Every value that was ever kept in the vault for it, by its id: releases may still refer to it. */
  readonly secrets: Readonly<Record<string, Secret>>
  readonly overrides: Readonly<Record<string, string | null>>
}

export const project: Decider<Project, Command, ProjectEvent> = {
  initial: {
    ...{ exists: false, name: '', process: { steps: [] }, processVersion: 0 },
    ...{ variables: [], variablesVersion: 0, secrets: {}, overrides: {} },
  },

  decide({ type, data }, state) {
    const { projectId } = data
    if (type === 'CreateProject') {
      if (!state.exists) return [{ type: 'ProjectCreated', data }]
      return state.name === data.name ? [] : refuse('PROJECT_EXISTS', `project ${projectId} is there already`)
    }
    if (!state.exists) return refuse('PROJECT_UNKNOWN', `there is no project ${projectId}`)

    switch (type) {
      case 'RenameProject':
        return data.name === state.name ? [] : [{ type: 'ProjectRenamed', data }]

      case 'ChangeProcess': {
        const { process, expectedVersion } = data
        const changed = changedMeanwhile('process', state.processVersion, expectedVersion)
        if (changed !== null) return changed
        const mistakes = processMistakes(process, projectId)
        if (mistakes.length > 0) return refuse('PROCESS_INVALID', mistakes.join('; '))
        if (same(process, state.process)) return []
        return [{ type: 'ProcessChanged', data: { projectId, process, processVersion: state.processVersion + 1 } }]
      }

      case 'ChangeVariables': {
        const { variables, expectedVersion } = data
        const decision = changeVariables(projectId, variables, state)
        if (!isRefusal(decision) && decision.length === 0) return []
        return changedMeanwhile('variables', state.variablesVersion, expectedVersion) ?? decision
      }

      case 'DestroySecrets':
        return destroySecrets(data, state)

      case 'SetReleaseOverride':
        return (state.overrides[data.environmentId] ?? null) === data.version
          ? []
          : [{ type: 'ReleaseOverrideSet', data }]
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'ProjectCreated':
      case 'ProjectRenamed':
        return { ...state, exists: true, name: event.data.name }
      case 'ProcessChanged':
        return { ...state, process: event.data.process, processVersion: event.data.processVersion }
      case 'VariablesChanged':
        return { ...state, variables: event.data.variables, variablesVersion: state.variablesVersion + 1 }
      case 'SecretSet': {
        const { secretId, name, scope, version } = event.data
        const destroyedThrough = state.secrets[secretId]?.destroyedThrough ?? 0
        return { ...state, secrets: { ...state.secrets, [secretId]: { name, scope, version, destroyedThrough } } }
      }
      case 'SecretDestroyed': {
        const { secretId, version } = event.data
        const secret = state.secrets[secretId]
        const secrets = secret
          ? { ...state.secrets, [secretId]: { ...secret, destroyedThrough: version } }
          : state.secrets
        return { ...state, secrets, variablesVersion: state.variablesVersion + 1 }
      }
      case 'ReleaseOverrideSet':
        return { ...state, overrides: { ...state.overrides, [event.data.environmentId]: event.data.version } }
    }
  },
}

const changedMeanwhile = (what: string, version: number, expected: number | null) =>
  expected === null || expected === version
    ? null
    : refuse('VERSION_CHANGED', `the version of the ${what} is ${version}, not ${expected}`)

// Both sides have been through the same schema, so equal things are written alike.
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
