import type { ProjectEvent, ReleaseEvent } from '#contracts/project.ts'
import type { ProjectRow, ReleaseRow } from '#contracts/rows.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'
import { variableRows, withoutSecret } from './variables.ts'

export const projects: View<ProjectRow, ProjectEvent | ReleaseEvent> = {
  name: 'projects.v3',
  observes: [
    'ProjectCreated',
    'ProjectRenamed',
    'ProcessChanged',
    'VariablesChanged',
    'SecretDestroyed',
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
        return row && withVariables(row, variableRows(fact.data.variables, row.variables))
      // What is shown of it comes with the variables.
      case 'SecretSet':
        return row
      case 'SecretDestroyed':
        return row && withVariables(row, withoutSecret(row.variables, fact.data))
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

/** Each change of what is shown of them is a version of its own, which their ETag is. */
const withVariables = (row: ProjectRow, variables: ProjectRow['variables']): ProjectRow => ({
  ...row,
  variables,
  variablesVersion: row.variablesVersion + 1,
})

export const releaseKey = (projectId: string, version: string): string => `${projectId}@${version}`

export const releases: View<ReleaseRow, ReleaseEvent> = {
  name: 'releases.v3',
  observes: ['ReleaseCreated'],
  keysOf: ({ data }) => [releaseKey(data.projectId, data.version)],
  columns: { projectId: (row) => row.projectId },
  indexes: [['projectId']],
  project: (_, { data, meta }) => ({
    ...data,
    variables: variableRows(data.variables),
    packages: data.packages ?? [],
    createdAt: iso(meta.at),
    createdBy: meta.actor,
  }),
}
