import type { Clock } from '#libs/clock.ts'
import { silentLog } from '#libs/log.ts'
import { runAgent } from '../agent.ts'
import type { AgentTransport, CheckRunner, Enroller, ThisMachine } from '../ports.ts'
import type { AgentSettings } from '../settings.ts'
import type { Behaviour } from './behaviour.ts'
import { within } from './dice.ts'
import { filesInMemory } from './files.ts'
import { Life } from './life.ts'
import { noPackages, simulatedRunner } from './runner.ts'
import type { Tally } from './tally.ts'

const minuteMs = 60_000

export interface SimulatedNeeds {
  readonly clock: Clock
  /** This machine's own, so that what becomes of it does not depend on the others. */
  readonly chance: () => number
  readonly machine: ThisMachine
  readonly transport: AgentTransport
  readonly enroller: Enroller
  readonly settings: AgentSettings
  readonly behaviour: Behaviour
  readonly tally: Tally
}

/** Checks of the policy always pass here: how machines fall ill is not what a fleet shows. */
const healthy: CheckRunner = {
  run: async () => ({ reason: null, exitCode: 0, detail: '' }),
  clearAway: async () => {},
}

/**
 * A machine with the real agent on it, whose disk is in memory and whose scripts are simulated. Lives, dies and comes
 * back until it is asked to stop, or until it is dead for good.
 */
export async function simulateMachine(needs: SimulatedNeeds, stop: AbortSignal): Promise<void> {
  const { clock, chance, behaviour, tally } = needs
  const disk = filesInMemory()
  while (!stop.aborted) {
    const isDead = await live(needs, disk, stop)
    if (!isDead) return
    tally.died += 1
    if (chance() >= behaviour.returnRate) return
    await clock.sleep(within(chance, behaviour.returnAfter), stop)
    if (!stop.aborted) tally.returned += 1
  }
}

/** Whether the machine died; otherwise its agent was asked to stop and has said goodbye. */
async function live(needs: SimulatedNeeds, disk: ReturnType<typeof filesInMemory>, stop: AbortSignal) {
  const { clock, chance, behaviour, tally } = needs
  const life = new Life()
  const asked = new AbortController()
  const ports = {
    ...needs,
    log: silentLog,
    packages: noPackages,
    checkRunner: life.checkRunner(healthy),
    files: life.files(disk),
    transport: life.transport(needs.transport, tally),
    enroller: life.enroller(needs.enroller),
    runner: simulatedRunner({ clock, behaviour, tally, chance, death: life.death }),
  }
  const agent = runAgent(ports, needs.settings, asked.signal).then(() => false)
  const spared = new AbortController()
  const passOn = () => asked.abort(stop.reason)
  stop.addEventListener('abort', passOn, { once: true })
  try {
    if (stop.aborted) passOn()
    return await Promise.race([agent, death(clock, lifeSpanMs(chance, behaviour), life, spared.signal)])
  } finally {
    spared.abort()
    stop.removeEventListener('abort', passOn)
  }
}

async function death(clock: Clock, spanMs: number, life: Life, spared: AbortSignal): Promise<boolean> {
  if (spanMs === Number.POSITIVE_INFINITY) return new Promise(() => {})
  await clock.sleep(spanMs, spared)
  if (!spared.aborted) life.end()
  return true
}

/** Whoever has lived long is as likely to die as a newcomer: lengths of life are exponential. */
function lifeSpanMs(chance: () => number, { deathRate }: Behaviour): number {
  const share = chance()
  if (deathRate === 0) return Number.POSITIVE_INFINITY
  // Of those who live now, `deathRate` are dead in a minute.
  return deathRate === 1 ? share * minuteMs : (-Math.log(1 - share) / -Math.log(1 - deathRate)) * minuteMs
}
