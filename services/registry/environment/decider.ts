import type { EnvironmentCommand, EnvironmentEvent } from '#contracts/environment.ts'
import { EnvironmentPolicy, wholePolicy } from '#contracts/policySettings.ts'
import { refuse, type Decider, type Decision } from '#libs/decider.ts'
import { impossibleBecause } from './plausible.ts'

export interface Environment {
  readonly name: string
  /** null: nobody has created it. */
  readonly policy: EnvironmentPolicy | null
  readonly policyVersion: number
}

type Data<Type extends EnvironmentCommand['type']> = Extract<EnvironmentCommand, { type: Type }>['data']

export const environment: Decider<Environment, EnvironmentCommand, EnvironmentEvent> = {
  initial: { name: '', policy: null, policyVersion: 0 },

  decide({ type, data }, state) {
    switch (type) {
      case 'CreateEnvironment':
        return create(data, state)

      case 'RenameEnvironment':
        if (state.policy === null) return unknown(data.environmentId)
        return state.name === data.name ? [] : [{ type: 'EnvironmentRenamed', data }]

      case 'ChangeEnvironmentPolicy':
        return changePolicy(data, state)
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'EnvironmentCreated':
        return {
          name: event.data.name,
          policy: wholePolicy(event.data.policy),
          policyVersion: event.data.policyVersion,
        }
      case 'EnvironmentRenamed':
        return { ...state, name: event.data.name }
      case 'EnvironmentPolicyChanged':
        return { ...state, policy: wholePolicy(event.data.policy), policyVersion: event.data.policyVersion }
    }
  },
}

const unknown = (environmentId: string) => refuse('ENVIRONMENT_UNKNOWN', `There is no environment ${environmentId}.`)

function create(data: Data<'CreateEnvironment'>, state: Environment): Decision<EnvironmentEvent> {
  const { environmentId, name } = data
  if (state.policy !== null) return refuse('ENVIRONMENT_EXISTS', `There is already an environment ${environmentId}.`)

  const policy = EnvironmentPolicy.parse(data.policy ?? {})
  const impossible = impossibleBecause(policy)
  if (impossible !== null) return refuse('POLICY_IMPOSSIBLE', impossible)
  return [{ type: 'EnvironmentCreated', data: { environmentId, name, policy, policyVersion: 1 } }]
}

function changePolicy(data: Data<'ChangeEnvironmentPolicy'>, state: Environment): Decision<EnvironmentEvent> {
  const { environmentId, policy, expectedPolicyVersion } = data
  if (state.policy === null) return unknown(environmentId)
  // Who asks for what stands already has what they want, whichever version they started from.
  if (samePolicy(state.policy, policy)) return []
  if (expectedPolicyVersion !== null && expectedPolicyVersion !== state.policyVersion)
    return refuse(
      'VERSION_CHANGED',
      `The policy of ${environmentId} is at version ${state.policyVersion}, not ${expectedPolicyVersion}. ` +
        'Read it again and make your change to that.',
    )

  const impossible = impossibleBecause(policy)
  if (impossible !== null) return refuse('POLICY_IMPOSSIBLE', impossible)
  const policyVersion = state.policyVersion + 1
  return [{ type: 'EnvironmentPolicyChanged', data: { environmentId, policy, policyVersion } }]
}

/** Settings are compared by the known ones, in the schema's order; what a newer version stored beside them is not. */
const samePolicy = (a: EnvironmentPolicy, b: EnvironmentPolicy) =>
  JSON.stringify(EnvironmentPolicy.parse(a)) === JSON.stringify(EnvironmentPolicy.parse(b))
