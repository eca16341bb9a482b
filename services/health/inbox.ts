import type { Answer } from '#contracts/command.ts'
import { PingResult } from '#contracts/gateway.ts'
import { HealthCommand } from '#contracts/health.ts'
import type { Cause } from '#contracts/message.ts'
import { answerCommands, type Ask } from '#libs/ask.ts'
import { BusFault, type Bus } from '#libs/bus/bus.ts'
import { refuse } from '#libs/decider.ts'
import type { Partition } from './partition.ts'
import type { LookedNow } from './probing/probed.ts'
import type { Roster } from './roster.ts'

const notAsked = async (): Promise<Answer> =>
  refuse('PERMISSION_DENIED', 'health is recorded from what is observed, and by nobody else')

/** What is known of the machines that can be asked after. */
export interface Heard {
  readonly roster: Roster
  readonly partition: Partition
  /** The gateways that can be asked. */
  readonly gateways: () => readonly string[]
}

/**
 * What others may ask of health: to confirm a silence before a removal, and to look at a machine now.
 * @param to the partition whose machines are meant
 */
export const startInbox = ({ bus, ask }: { bus: Bus; ask: Ask }, heard: Heard, to: string) =>
  answerCommands(
    bus,
    'health',
    {
      RecordHeard: notAsked,
      RecordLate: notAsked,
      RecordSilent: notAsked,
      RecordCheck: notAsked,
      ForgetHealth: notAsked,
      ConfirmUnavailable: async ({ data }) => confirm(heard.partition, data),
      CheckMachine: async ({ data: { machineId } }, cause) => check(ask, heard, machineId, cause),
    },
    HealthCommand,
    to,
  )

type ToConfirm = Extract<HealthCommand, { type: 'ConfirmUnavailable' }>['data']

function confirm(partition: Partition, { machineId, rule }: ToConfirm): Answer {
  const silentMs = partition.silentMs(machineId)
  if (silentMs === null) return refuse('MACHINE_ANSWERS', `nobody listens to ${machineId}, so it may well answer`)
  if (!partition.isSilent(machineId, rule))
    return refuse('MACHINE_ANSWERS', `${machineId} has been silent for only ${Math.round(silentMs)} ms while observed`)
  return { accepted: true, position: 0, result: { silentMs } }
}

async function check(ask: Ask, heard: Heard, machineId: string, cause: Cause): Promise<Answer> {
  const { roster, partition } = heard
  const listed = roster.of(machineId)
  if (listed === undefined) return refuse('MACHINE_UNKNOWN', `there is no machine ${machineId}`)
  const looked = await partition.prober.lookNow(machineId)
  if (looked !== null) return { accepted: true, position: 0, result: told(looked, partition.silentMs(machineId)) }
  const { gatewayId, ...ping } = await pingBySome(ask, heard, machineId, cause)
  if (ping.answered) await partition.hear(machineId, gatewayId)
  const silentMs = partition.silentMs(machineId)
  const status = ping.answered ? 'healthy' : (roster.of(machineId)?.status ?? listed.status)
  return { accepted: true, position: 0, result: { status, ...ping, silentMs } }
}

/** The same as is told of a machine with an agent, and what was found besides. */
function told({ verdict, roundTripMs, status }: LookedNow, silentMs: number | null) {
  const { reach, finding, level, detail } = verdict
  const answered = reach === 'answers'
  return {
    status,
    connected: answered,
    answered,
    roundTripMs: answered ? roundTripMs : null,
    silentMs,
    finding,
    level,
    detail,
  }
}

type Ping = PingResult & { readonly gatewayId: string }

/** Asks the gateway by which the machine was last heard; all of them, when it was not yet heard by any. */
async function pingBySome(ask: Ask, heard: Heard, machineId: string, cause: Cause): Promise<Ping> {
  const last = heard.partition.watchdog.gatewayOf(machineId)
  const asked = last === null ? heard.gateways() : [last]
  const pings = await Promise.all(asked.map((gatewayId) => pingBy(ask, gatewayId, machineId, cause)))
  return pings.find(({ connected }) => connected) ?? pings[0] ?? notConnected('')
}

const notConnected = (gatewayId: string): Ping => ({ gatewayId, connected: false, answered: false, roundTripMs: null })

async function pingBy(ask: Ask, gatewayId: string, machineId: string, cause: Cause): Promise<Ping> {
  try {
    const answer = await ask('gateway', { type: 'PingMachine', data: { machineId } }, cause, gatewayId)
    return 'refused' in answer ? notConnected(gatewayId) : { gatewayId, ...PingResult.parse(answer.result) }
  } catch (error) {
    // That gateway is gone, and the session with it.
    if (error instanceof BusFault && error.reason === 'no-responders') return notConnected(gatewayId)
    throw error
  }
}
