import type { ProjectCommand, ProjectEvent } from '#contracts/project.ts'
import type { Process, Variable } from '#contracts/process.ts'
import { refuse, type Decider } from '#libs/decider.ts'
import { bytesOf, processMistakes } from './mistakes.ts'

/** With the process they go into one fact of each deployment. */
const variablesBytesMax = 256 * 1024

export interface Project {
  readonly exists: boolean
  readonly name: string
  readonly process: Process
  readonly processVersion: number
  readonly variables: readonly Variable[]
  readonly overrides: Readonly<Record<string, string | null>>
}

export const project: Decider<Project, ProjectCommand, ProjectEvent> = {
  initial: { exists: false, name: '', process: { steps: [] }, processVersion: 0, variables: [], overrides: {} },

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
        if (expectedVersion !== null && expectedVersion !== state.processVersion)
          return refuse('VERSION_CHANGED', `the process is at version ${state.processVersion}, not ${expectedVersion}`)
        const mistakes = processMistakes(process)
        if (mistakes.length > 0) return refuse('PROCESS_INVALID', mistakes.join('; '))
        if (same(process, state.process)) return []
        return [{ type: 'ProcessChanged', data: { projectId, process, processVersion: state.processVersion + 1 } }]
      }

      case 'ChangeVariables': {
        if (same(data.variables, state.variables)) return []
        const bytes = bytesOf(data.variables)
        return bytes > variablesBytesMax
          ? refuse('BODY_TOO_LARGE', `the variables take ${bytes} bytes as JSON, at most ${variablesBytesMax}`)
          : [{ type: 'VariablesChanged', data }]
      }

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
        return { ...state, variables: event.data.variables }
      case 'ReleaseOverrideSet':
        return { ...state, overrides: { ...state.overrides, [event.data.environmentId]: event.data.version } }
    }
  },
}

// Both sides have been through the same schema, so equal things are written alike.
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
