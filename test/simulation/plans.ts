import type { Context } from './context.ts'
import type { Profile } from './profile.ts'
import type { Script } from './script.ts'
import type { Home } from './yard.ts'

const minuteMs = 60_000
/** Shorter than the quiet in which everything is taken to be done. */
const freezeMs = 15 * minuteMs
/** The project that others may deploy on their way. */
export const baseProjectId = 'base'

/** The policy of an environment; changed at random when somebody changes it. */
export function policyFor(environmentId: Home, profile: Profile, by?: Context): object {
  const { heartbeatEveryMs, removeAfterMs, guardEnabled, staticAutomatic, freezeEveryHours } = profile
  const factor = by === undefined ? 1 : 0.5 + 1.5 * by.dice.chance()
  const freezes = freezeEveryHours === null ? [] : [{ cron: `0 */${freezeEveryHours} * * *`, forMs: freezeMs }]
  const automatic = environmentId === 'elastic' || (environmentId === 'static' && staticAutomatic)
  return {
    dynamicRegistration: {
      ...{ enabled: environmentId === 'elastic', removeAfterMs: Math.round(removeAfterMs * factor), startUpGraceMs: 0 },
    },
    deployments: { cancelGraceMs: 20_000, freezes },
    guard: { enabled: guardEnabled },
    automaticDeployments: { enabled: automatic, backoffMaxMs: 5 * minuteMs, breakerWindowMs: 30 * minuteMs },
    health: {
      heartbeatEveryMs,
      lateAfterMs: 3 * heartbeatEveryMs,
      unavailableAfterMs: Math.round(6 * heartbeatEveryMs * Math.max(1, factor)),
    },
  }
}

/** The targets make room for those that have a role, and are taken out. */
const swap: readonly object[] = [
  { id: 'swap', kind: 'reevaluate-targets', from: { roles: ['canary'] }, mode: 'replace', expect: { min: 1 } },
  { id: 'take-out', kind: 'deregister-machines' },
]

const watched = { forMs: 5 * minuteMs }
const asked = { approval: 'Go on?', withinMs: 15 * minuteMs }

/** What a project does on its machines: a good one, or one that fails for a while or on some machines for ever. */
export function processFor({ dice }: Context, badShare: number): { readonly steps: readonly object[] } {
  const { chance } = dice
  const pick = <Item>(...items: readonly Item[]): Item => items[Math.floor(chance() * items.length)]!
  const bad = chance() < badShare
  const script = (): string => {
    const what: Script = {
      durationMinMs: 500,
      durationMaxMs: pick(2_000, 30_000, 4 * minuteMs),
      failsShare: bad ? pick(0, 0.3) : pick(0, 0, 0.02),
      badMachinesShare: bad ? pick(0, 0.1, 0.4, 1) : 0,
    }
    return JSON.stringify(what)
  }
  const onTargets = (id: string) => ({
    ...{ id, kind: 'script', script: script(), window: pick<string | number>('100%', '50%', '25%', 1, 3) },
    ...{
      onFailure: pick('fail', 'exclude', 'ask'),
      askWithinMs: 15 * minuteMs,
      attemptsMax: pick(1, 1, 2, 3),
      repeatable: chance() < 0.5,
    },
    ...{ timeLimitMs: pick(10, 3) * minuteMs, retryAfterMs: 5_000, catchUp: true },
  })
  const rolling = () => ({
    minimumHealthy: pick<number | string | null>(null, null, 1, '25%'),
    canary: pick(null, null, { size: pick<string | number>(1, '25%'), hold: pick<object>(watched, asked) }),
  })
  const other = { id: 'base', kind: 'deploy-release', project: baseProjectId, timeLimitMs: 30 * minuteMs }
  const steps: object[] = chance() < 0.15 ? [{ ...other, wait: chance() < 0.7, targets: pick('all', 'mine') }] : []
  steps.push({ ...onTargets('install'), ...rolling() })
  if (chance() < 0.3) steps.push({ ...onTargets('beside'), start: 'with-previous', minimumHealthy: pick(null, 1) })
  if (chance() < 0.2)
    steps.push({ ...onTargets('told'), when: pick('env == "elastic"', 'outputs.install.X[0] == "y"') })
  if (chance() < 0.3) steps.push({ id: 'approve', kind: 'approval', message: 'Go on?', timeLimitMs: 15 * minuteMs })
  if (chance() < 0.2) steps.push({ ...onTargets('tell'), on: 'worker', window: '100%', catchUp: false })
  if (chance() < 0.2)
    steps.push({ id: 'join', kind: 'reevaluate-targets', from: { roles: ['web'] }, mode: 'add', expect: { min: 0 } })
  if (chance() < 0.3)
    steps.push({ id: 'check', kind: 'health-check', onUnavailable: pick('fail', 'exclude'), timeLimitMs: 5 * minuteMs })
  if (chance() < 0.6) steps.push(onTargets('switch'))
  if (chance() < 0.2) steps.push({ ...onTargets('canary'), roles: ['canary'] })
  if (chance() < 0.1) steps.push(...swap)
  if (chance() < 0.3) steps.push({ ...onTargets('clean-up'), condition: pick('always', 'failure') })
  return { steps }
}
