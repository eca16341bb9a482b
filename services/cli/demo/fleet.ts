import type { DeploymentRow, MachineRow } from '#contracts/rows.ts'
import { path, type Client } from '../client.ts'

export const environmentId = 'production'
export const projectId = 'shop'

/** The pace of the demo: every duration is a setting, so minutes become seconds here and nothing else changes. */
export const policy = {
  health: { heartbeatEveryMs: '500ms', lateAfterMs: '1500ms', unavailableAfterMs: '3s' },
  dynamicRegistration: { enabled: true, removeAfterMs: '4s', startUpGraceMs: 0 },
  automaticDeployments: { enabled: true, quietMs: '2s', waitMaxMs: '10s' },
  deployments: { contactBudgetMs: '20s', taskLeaseMs: '60s' },
}

/** What the demo asks the public API, in its own words. */
export const fleetOf = (client: Client) => ({
  client,

  async machines(): Promise<readonly MachineRow[]> {
    return Array.fromAsync(client.rows<MachineRow>('machines', { environment: environmentId }))
  },
  async removed(): Promise<readonly MachineRow[]> {
    return Array.fromAsync(client.rows<MachineRow>(path`environments/${environmentId}/removed`))
  },
  /** The newest first. */
  async deployments(): Promise<readonly DeploymentRow[]> {
    return Array.fromAsync(client.rows<DeploymentRow>('deployments', { project: projectId }))
  },
  deployment: (id: string): Promise<DeploymentRow> => client.get<DeploymentRow>(path`deployments/${id}`),

  async release(version: string, process: object): Promise<void> {
    await client.send('PUT', path`projects/${projectId}/process`, process)
    await client.send('POST', path`projects/${projectId}/releases`, { version })
  },
  async deploy(version: string): Promise<string> {
    const { body } = await client.send<{ id: string }>('POST', 'deployments', { projectId, version, environmentId })
    return body.id
  },
})
export type Fleet = ReturnType<typeof fleetOf>

export const hasRelease = (machine: MachineRow, version: string): boolean =>
  machine.releases.some((release) => release.projectId === projectId && release.version === version)

export const ended = ({ state }: DeploymentRow): boolean => ['succeeded', 'failed', 'cancelled'].includes(state)
