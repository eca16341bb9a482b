/** What decides whether a release belongs on a machine. Automatic and manual deployments ask the same question here. */
export interface Candidate {
  readonly environmentId: string
  readonly roles: readonly string[]
  readonly registered: boolean
  /** Without one nothing can be run on it, though the server may look after its health. */
  readonly hasAgent: boolean
  readonly enabled: boolean
  readonly quarantined: boolean
}

export type Ineligible =
  | 'not-registered'
  | 'other-environment'
  | 'no-agent'
  | 'disabled'
  | 'quarantined'
  | 'role-missing'

/**
 * The clause that keeps a release from a machine, or null when the machine should have it.
 * @param targetRoles the roles that the release is for; empty: every role
 */
export function ineligibility(
  machine: Candidate,
  environmentId: string,
  targetRoles: readonly string[],
): Ineligible | null {
  if (!machine.registered) return 'not-registered'
  if (machine.environmentId !== environmentId) return 'other-environment'
  if (!machine.hasAgent) return 'no-agent'
  if (!machine.enabled) return 'disabled'
  if (machine.quarantined) return 'quarantined'
  return hasRole(machine, targetRoles) ? null : 'role-missing'
}

export const hasRole = (machine: { readonly roles: readonly string[] }, roles: readonly string[]): boolean =>
  roles.length === 0 || roles.some((role) => machine.roles.includes(role))

/** A worker runs the steps that belong to no target. It is never a target itself. */
export const workerRole = 'worker'

/** Where the server's own worker lives: it serves every environment that has no worker of its own. */
export const workersEnvironmentId = 'workers'
