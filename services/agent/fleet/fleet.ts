import type { Clock } from '#libs/clock.ts'
import { aborted } from '#libs/lifecycle.ts'
import { thisMachine } from '../machine.ts'
import type { AgentTransport, Enroller, ThisMachine } from '../ports.ts'
import { defaultLimits } from '../settings.ts'
import type { Behaviour } from './behaviour.ts'
import type { AttributeSpread } from './config.ts'
import { createDice } from './dice.ts'
import { FleetFault } from './fault.ts'
import { simulateMachine } from './machine.ts'
import type { Tally } from './tally.ts'

const secondMs = 1_000
const memoryBytes = 1_024 ** 3
/** Nobody waits for simulated scripts. */
const stopGraceMs = 500
const numberDigits = 5

export interface FleetOptions {
  readonly count: number
  readonly seed: number
  readonly name: string
  readonly roles: readonly string[]
  readonly attributes: AttributeSpread
  /** How many machines join in a second. */
  readonly joinRate: number
  readonly joinToken: string
  readonly behaviour: Behaviour
  /** How long the machines stay once all have been started; null: until they are stopped. */
  readonly durationMs: number | null
}

export interface FleetPorts {
  readonly clock: Clock
  readonly transport: AgentTransport
  readonly enroller: Enroller
  readonly tally: Tally
}

/**
 * Runs a fleet of simulated machines in this process until its time is over or it is stopped; all of them then take
 * their leave.
 * @throws FleetFault when already the first machine finds no server, or is refused
 */
export async function runFleet(options: FleetOptions, ports: FleetPorts, stop: AbortSignal): Promise<void> {
  const { clock, tally } = ports
  const end = new AbortController()
  const onStop = () => end.abort(stop.reason)
  stop.addEventListener('abort', onStop, { once: true })
  if (stop.aborted) onStop()
  let fault: FleetFault | null = null
  const giveUp = (first: FleetFault) => {
    if (tally.joined > 0) return
    fault ??= first
    end.abort()
  }

  const lives: Promise<void>[] = []
  const startedMs = clock.steadyMs()
  for (let number = 1; number <= options.count && !end.signal.aborted; number++) {
    const restMs = startedMs + ((number - 1) * secondMs) / options.joinRate - clock.steadyMs()
    if (restMs > 0) await clock.sleep(restMs, end.signal)
    if (!end.signal.aborted) lives.push(simulateMachine(needsOf(number, options, ports, giveUp), end.signal))
  }
  if (options.durationMs === null) await aborted(end.signal)
  else await clock.sleep(options.durationMs, end.signal)
  end.abort('the fleet has ended')
  await Promise.all(lives)
  stop.removeEventListener('abort', onStop)
  if (fault !== null) throw fault as FleetFault
}

function needsOf(number: number, options: FleetOptions, ports: FleetPorts, giveUp: (fault: FleetFault) => void) {
  const { clock, transport, tally } = ports
  const chance = createDice(options.seed, number)
  const name = `${options.name}-${String(number).padStart(numberDigits, '0')}`
  return {
    ...{ chance, transport, tally, behaviour: options.behaviour },
    // Also how its signs of life are spread follows from the seed; keys are still as secret as any.
    clock: { ...clock, chance },
    machine: simulatedHardware(name),
    enroller: countingEnroller(ports, giveUp),
    settings: {
      ...defaultLimits,
      ...{ name, stopGraceMs, roles: options.roles, token: async () => options.joinToken },
      attributes: Object.fromEntries(
        options.attributes.map(({ key, values }) => [key, values[(number - 1) % values.length]!]),
      ),
    },
  }
}

function simulatedHardware(name: string): ThisMachine {
  const { agentVersion } = thisMachine.facts()
  const facts = { hostname: name, os: 'simulated', arch: 'none', agentVersion, cpus: 1, memoryBytes, addresses: [] }
  return { fingerprint: async () => null, facts: () => facts }
}

/** What the very first machine meets, all others would meet as well. */
function countingEnroller({ enroller, tally }: FleetPorts, giveUp: (fault: FleetFault) => void): Enroller {
  let hasJoined = false
  const trouble = (code: string, detail: string) => {
    tally.trouble(code)
    giveUp(new FleetFault(code, detail))
  }
  return {
    async enroll(request) {
      try {
        const reply = await enroller.enroll(request)
        if ('refused' in reply) trouble(reply.refused, reply.detail)
        else if (!hasJoined) {
          hasJoined = true
          tally.joined += 1
        }
        return reply
      } catch (error) {
        trouble('SERVER_UNREACHABLE', (error as Error).message)
        throw error
      }
    },
  }
}
