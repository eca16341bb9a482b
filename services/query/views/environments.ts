import { wholePolicy } from '#contracts/policySettings.ts'
import type { EnvironmentEvent } from '#contracts/environment.ts'
import type { EnvironmentRow } from '#contracts/rows.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'

/** How many machines there are of each kind is counted by the machines' own view. */
export type KeptEnvironment = Omit<EnvironmentRow, 'machines'>

export const environments: View<KeptEnvironment, EnvironmentEvent> = {
  name: 'environments.v2',
  observes: ['EnvironmentCreated', 'EnvironmentRenamed', 'EnvironmentPolicyChanged'],
  keysOf: ({ data }) => [data.environmentId],
  tally: () => 'all',

  project(row, fact) {
    switch (fact.type) {
      case 'EnvironmentCreated': {
        const { environmentId, name, policy, policyVersion } = fact.data
        return { id: environmentId, name, policy: wholePolicy(policy), policyVersion, createdAt: iso(fact.meta.at) }
      }
      case 'EnvironmentRenamed':
        return row && { ...row, name: fact.data.name }
      case 'EnvironmentPolicyChanged':
        return row && { ...row, policy: wholePolicy(fact.data.policy), policyVersion: fact.data.policyVersion }
    }
  },
}
