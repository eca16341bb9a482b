import type { ProjectEvent, ReleaseEvent } from '#contracts/project.ts'
import type { ProjectRow, ReleaseRow } from '#contracts/rows.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'

export const projects: View<ProjectRow, ProjectEvent | ReleaseEvent> = {
  name: 'projects.v2',
  observes: [
    'ProjectCreated',
    'ProjectRenamed',
    'ProcessChanged',
    'VariablesChanged',
    'ReleaseOverrideSet',
    'ReleaseCreated',
  ],
  keysOf: ({ data }) => [data.projectId],

  project(row, fact) {
    switch (fact.type) {
      case 'ProjectCreated': {
        const { projectId: id, name } = fact.data
        const noProcess = { process: { steps: [] }, processVersion: 0 }
        const nothing = { ...noProcess, variables: [], variablesVersion: 0, overrides: {}, latestVersion: null }
        return { id, name, ...nothing, createdAt: iso(fact.meta.at) }
      }
      case 'ProjectRenamed':
        return row && { ...row, name: fact.data.name }
      case 'ProcessChanged':
        return row && { ...row, process: fact.data.process, processVersion: fact.data.processVersion }
      case 'VariablesChanged':
        return row && { ...row, variables: fact.data.variables, variablesVersion: row.variablesVersion + 1 }
      case 'ReleaseOverrideSet': {
        const { environmentId, version } = fact.data
        if (row === undefined) return row
        const { [environmentId]: _, ...others } = row.overrides
        return { ...row, overrides: version === null ? others : { ...others, [environmentId]: version } }
      }
      case 'ReleaseCreated':
        return row && { ...row, latestVersion: fact.data.version }
    }
  },
}

export const releaseKey = (projectId: string, version: string): string => `${projectId}@${version}`

export const releases: View<ReleaseRow, ReleaseEvent> = {
  name: 'releases.v1',
  observes: ['ReleaseCreated'],
  keysOf: ({ data }) => [releaseKey(data.projectId, data.version)],
  columns: { projectId: (row) => row.projectId },
  indexes: [['projectId']],
  project: (_, { data, meta }) => ({ ...data, createdAt: iso(meta.at), createdBy: meta.actor }),
}
