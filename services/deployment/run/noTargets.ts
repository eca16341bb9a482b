import { listed, runsOnTargets, type Created } from './state.ts'

/**
 * Why a deployment that finds no target fails, in words: what reaches nobody must not look like a success. null where
 * nobody is needed: it was allowed to, nothing of it runs on targets, or it looks for targets itself. And policy asks
 * for the deployments of machines that may be gone by now.
 */
export function whyNobody(
  { kind, allowNoTargets, process: { steps }, environmentId, targetRoles, machineIds }: Created,
  leftOut: readonly { readonly name: string; readonly reason: string }[],
): string | null {
  if (kind === 'automatic' || allowNoTargets === true) return null
  if (!steps.some(runsOnTargets) || steps.some((step) => step.kind === 'reevaluate-targets')) return null
  const which = machineIds === null ? `no machine of ${environmentId}` : 'none of the machines named'
  const roles = targetRoles.length === 0 ? '' : ` for the roles ${listed(targetRoles)}`
  const left =
    leftOut.length === 0 ? '' : `: ${listed(leftOut.map(({ name, reason }) => `${name} is left out (${reason})`))}`
  return `${which} is a target${roles}${left}; allow it to have no targets if that is meant`
}
