import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { PolicyRequest } from '#services/policy/decider.ts'
import { lacks } from '#services/policy/needs.ts'
import type { Desired, Ended, Member, World } from '#services/policy/world.ts'
import type { Settings } from '../deployment/stage.ts'

export const environmentId = 'production'
export const nowMs = 10_000_000

export const member = (machineId: string, part: Partial<Member> = {}): Member => ({
  ...{
    machineId,
    name: machineId,
    environmentId,
    roles: ['web'],
    registered: true,
    hasAgent: true,
    enabled: true,
    quarantined: false,
    status: 'healthy',
  },
  ...{ unavailableSince: null, installed: new Map(), notContactableIn: null, attributes: {} },
  ...{ startedAt: 0, lateSince: null, providerState: null, providerSaidAt: null },
  ...part,
})

export const silent = (machineId: string, forMs: number, part: Partial<Member> = {}): Member =>
  member(machineId, { status: 'unavailable', unavailableSince: nowMs - forMs, ...part })

export const has = (version: string, position = 1) => ({ installed: new Map([['shop', { version, position }]]) })

export const wants = (version: string, part: Partial<Desired> = {}): Desired => ({
  ...{ projectId: 'shop', version, targetRoles: [], position: 5, busy: false },
  ...part,
})

interface Setting {
  readonly members?: readonly Member[]
  readonly desired?: readonly Desired[]
  readonly settings?: Settings
  readonly since?: number | null
  readonly back?: { readonly count: number; readonly firstAt: number; readonly lastAt: number }
  readonly gapMs?: number
  readonly ended?: readonly Ended[]
  readonly missing?: readonly { deploymentId: string; forMs: number }[]
  readonly needed?: Record<string, number>
}

/** What policy sees, as a test puts it. Needs are as old as the test says, and else old enough. */
export const worldOf = (setting: Setting = {}): World => {
  const { members = [], desired = [], settings = {}, since = 0, gapMs = 0 } = setting
  const registered = members.filter((one) => one.registered)
  const policy = EnvironmentPolicy.parse(settings)
  const domain = policy.guard.failureDomain ?? ''
  const watched = registered.filter((one) => one.enabled && !one.quarantined)
  return {
    policyOf: () => ({ policy, policyVersion: 3 }),
    member: (machineId) => members.find((one) => one.machineId === machineId),
    registered: () => registered.length,
    registeredIn: (_, value) => registered.filter(({ attributes }) => attributes[domain] === value).length,
    returnedSince: () => ({ count: 0, firstAt: null, lastAt: null, ...setting.back }),
    unavailable: () => watched.filter((one) => one.status === 'unavailable'),
    suspects: () => watched.filter((one) => one.status === 'unavailable' || one.providerState === 'terminated'),
    behind: () => members.filter((one) => desired.some((release) => lacks(one, environmentId, release))),
    desired: () => desired,
    ended: () => setting.ended ?? [],
    missing: () => setting.missing ?? [],
    observedMs: (from, to) => Math.max(0, to - from - gapMs),
    observingSince: () => since,
    neededSince: (machineId) => nowMs - (setting.needed?.[machineId] ?? 3_600_000),
  }
}

export const evaluate = (setting: Setting = {}, at = nowMs): PolicyRequest => ({
  ...{ type: 'Evaluate', environmentId, world: worldOf(setting), nowMs: at, wallMs: at, decisionId: 'd-1' },
  idOf: (index) => `00000000-0000-4000-8000-00000000000${index}`,
})
