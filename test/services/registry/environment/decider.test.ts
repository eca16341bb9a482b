import { describe, expect, it } from 'vitest'
import { EnvironmentEvent } from '#contracts/environment.ts'
import { PolicySettings } from '#contracts/policySettings.ts'
import { environment } from '#services/registry/environment/decider.ts'
import { impossibleBecause } from '#services/registry/environment/plausible.ts'
import { specify } from '#test/support/spec.ts'

const given = specify(environment)
const environmentId = 'staging'
const policyWith = (settings: object) => PolicySettings.parse(settings)
const standard = policyWith({})
const slower = policyWith({ health: { heartbeatEveryMs: '20s' } })

const create = { type: 'CreateEnvironment', data: { environmentId, name: 'Staging' } } as const
const created = {
  type: 'EnvironmentCreated',
  data: { environmentId, name: 'Staging', policy: standard, policyVersion: 1 },
} as const
const rename = (name: string) => ({ type: 'RenameEnvironment', data: { environmentId, name } }) as const
const change = (policy: PolicySettings, expectedPolicyVersion: number | null = null) =>
  ({ type: 'ChangeEnvironmentPolicy', data: { environmentId, policy, expectedPolicyVersion } }) as const
const changed = (policy: PolicySettings, policyVersion: number) =>
  ({ type: 'EnvironmentPolicyChanged', data: { environmentId, policy, policyVersion } }) as const

describe('an environment nobody has created', () => {
  it('is created with a whole policy at version 1', () => given().when(create).thenRecorded(created))
  it('is created with the settings asked for', () =>
    given()
      .when({ ...create, data: { ...create.data, policy: slower } })
      .thenRecorded({ ...created, data: { ...created.data, policy: slower } }))
  it('is not created with a policy that could never work', () =>
    given()
      .when({ ...create, data: { ...create.data, policy: policyWith({ health: { heartbeatEveryMs: '1h' } }) } })
      .thenRefused('POLICY_IMPOSSIBLE', 'heartbeatEveryMs'))
  it('cannot be renamed', () => given().when(rename('Other')).thenRefused('ENVIRONMENT_UNKNOWN', environmentId))
  it('has no policy to change', () => given().when(change(slower)).thenRefused('ENVIRONMENT_UNKNOWN', environmentId))
})

describe('an environment', () => {
  it('is not created twice', () => given(created).when(create).thenRefused('ENVIRONMENT_EXISTS', environmentId))
  it('is renamed', () =>
    given(created)
      .when(rename('Other'))
      .thenRecorded({ type: 'EnvironmentRenamed', data: { environmentId, name: 'Other' } }))
  it('keeps its name when renamed to it', () => given(created).when(rename('Staging')).thenNothing())
  it('counts the versions of its policy', () =>
    given(created, changed(slower, 2)).when(change(standard)).thenRecorded(changed(standard, 3)))
  it('changes its policy from the version that was read', () =>
    given(created).when(change(slower, 1)).thenRecorded(changed(slower, 2)))
  it('refuses a change made from an older version', () =>
    given(created, changed(slower, 2)).when(change(standard, 1)).thenRefused('VERSION_CHANGED', 'at version 2, not 1'))
  it('records nothing when the policy is the same', () => given(created).when(change(standard)).thenNothing())
  it('records nothing when the same change comes again', () =>
    given(created, changed(slower, 2)).when(change(slower, 1)).thenNothing())
  it('refuses a policy that could never work', () =>
    given(created)
      .when(change(policyWith({ dynamicRegistration: { removeAfterMs: 0 } })))
      .thenRefused('POLICY_IMPOSSIBLE', 'removeAfterMs'))
  it('ignores settings that a newer version has stored', () => {
    const newer = EnvironmentEvent.parse({
      ...created,
      data: { ...created.data, policy: { ...standard, weather: 'fine' } },
    })
    given(newer).when(change(standard)).thenNothing()
  })
})

describe('a policy', () => {
  it('works as it comes', () => expect(impossibleBecause(standard)).toBeNull())

  const impossible: readonly [string, object][] = [
    ['health.heartbeatEveryMs must be more than 0', { health: { heartbeatEveryMs: 0 } }],
    ['health.lateAfterMs must be longer', { health: { heartbeatEveryMs: 30_000, lateAfterMs: 30_000 } }],
    ['health.unavailableAfterMs must be longer', { health: { lateAfterMs: 60_000, unavailableAfterMs: 60_000 } }],
    ['removeAfterMs must be more than 0', { dynamicRegistration: { removeAfterMs: 0 } }],
    ['guard.share must be more than 0', { guard: { share: 0 } }],
    ['guard.fullStopShare must not be smaller', { guard: { share: 0.6, fullStopShare: 0.5 } }],
    ['guard.windowMs must be more than 0', { guard: { windowMs: 0 } }],
    ['guard.releaseEveryMs must be more than 0', { guard: { releaseEveryMs: 0 } }],
    ['quietMs must not be longer', { automaticDeployments: { quietMs: 121_000 } }],
    ['backoffMinMs must not be longer', { automaticDeployments: { backoffMinMs: 2, backoffMaxMs: 1 } }],
    ['breakerWindowMs must be more than 0', { automaticDeployments: { breakerWindowMs: 0 } }],
    ['taskLeaseMs must be more than 0', { deployments: { taskLeaseMs: 0 } }],
  ]
  it.each(impossible)('could never work: %s', (sentence, settings) =>
    expect(impossibleBecause(policyWith(settings))).toContain(sentence),
  )

  it('may wait exactly as long as it is to be quiet, and stop exactly where it starts to hold back', () => {
    const edge = { automaticDeployments: { quietMs: '2m', waitMaxMs: '2m' }, guard: { share: 0.5, fullStopShare: 0.5 } }
    expect(impossibleBecause(policyWith(edge))).toBeNull()
  })
})
