import type { GroupAnswer } from '#contracts/providerGroup.ts'
import { Servings } from '#services/deployment/run/swap/servings.ts'
import type { ChildDeployment, FleetMachine, Hold, World } from '#services/deployment/run/world.ts'

export const startMs = 1_000_000

/** A fleet that a test may change between one request and the next. */
export class TestWorld implements World {
  position = 7
  readonly servings = new Servings()
  listeningSince = 0
  readonly machines = new Map<string, FleetMachine>()
  readonly taken = new Set<string>()
  readonly expired = new Set<string>()
  first = true
  readonly versions = new Map<string, string>()
  readonly children = new Map<string, ChildDeployment>()
  newer: string | null = null

  constructor(...machines: readonly FleetMachine[]) {
    for (const one of machines) this.put(one)
  }

  put(one: FleetMachine): this {
    this.machines.set(one.machineId, one)
    return this
  }

  change(machineId: string, part: Partial<FleetMachine>): this {
    return this.put({ ...this.machines.get(machineId)!, ...part })
  }

  machine = (machineId: string) => this.machines.get(machineId)
  inEnvironment = (environmentId: string) =>
    [...this.machines.values()].filter((one) => one.environmentId === environmentId)
  workersFor = () =>
    [...this.machines.values()].filter(
      ({ roles, registered, enabled, status }) =>
        roles.includes('worker') && registered && enabled && status === 'healthy',
    )
  isFree = (machineId: string) => !this.taken.has(machineId)
  mayStart = () => this.first
  holdOf = (): Hold | null => (this.first ? null : { reason: 'behind', detail: 'another goes first', until: null })
  supersededBy = () => this.newer
  versionOf = (projectId: string, _: string, wanted: string) => this.versions.get(`${projectId} ${wanted}`) ?? null
  child = (deploymentId: string) => this.children.get(deploymentId)
  groups = new Map<string, GroupAnswer>()
  group = ({ group }: { readonly group: string }) => this.groups.get(group) ?? null
  leaseExpired = (taskId: string) => this.expired.has(taskId)
}

export const machine = (machineId: string, part: Partial<FleetMachine> = {}): FleetMachine => ({
  machineId,
  name: machineId,
  environmentId: 'production',
  roles: ['web'],
  registered: true,
  hasAgent: true,
  enabled: true,
  quarantined: false,
  dirtyWith: null,
  status: 'healthy',
  statusSince: 0,
  ...part,
})
