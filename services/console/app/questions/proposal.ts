import type { EnvironmentPolicy } from '#contracts/policySettings.ts'

/** What of a policy can be tried by these few fields. In minutes and per cent, as people say them. */
export interface Proposal {
  removeAfterMinutes: number
  guardPercent: number
}

const minuteMs = 60_000

export const proposalOf = ({ dynamicRegistration, guard }: EnvironmentPolicy): Proposal => ({
  removeAfterMinutes: dynamicRegistration.removeAfterMs / minuteMs,
  guardPercent: Math.round(guard.share * 100),
})

/** The policy with what is proposed; null when that is the one which holds, so that the server goes by its history. */
export function proposedPolicy(policy: EnvironmentPolicy, proposal: Proposal): EnvironmentPolicy | null {
  const held = proposalOf(policy)
  const { removeAfterMinutes, guardPercent } = proposal
  if (removeAfterMinutes === held.removeAfterMinutes && guardPercent === held.guardPercent) return null
  const removeAfterMs = Math.round(removeAfterMinutes * minuteMs)
  return {
    ...policy,
    dynamicRegistration: { ...policy.dynamicRegistration, removeAfterMs },
    guard: { ...policy.guard, share: guardPercent / 100 },
  }
}
