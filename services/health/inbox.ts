import type { Answer } from '#contracts/command.ts'
import { PingResult } from '#contracts/gateway.ts'
import { HealthCommand } from '#contracts/health.ts'
import type { Cause } from '#contracts/message.ts'
import { answerCommands, type Ask } from '#libs/ask.ts'
import type { Bus } from '#libs/bus/bus.ts'
import { refuse } from '#libs/decider.ts'
import type { Monitor } from './monitor.ts'

const notAsked = async (): Promise<Answer> =>
  refuse('PERMISSION_DENIED', 'health is recorded from what is observed, and by nobody else')

/** What others may ask of health: to confirm a silence before a removal, and to look at a machine now. */
export const startInbox = ({ bus, ask }: { bus: Bus; ask: Ask }, monitor: Monitor) =>
  answerCommands(
    bus,
    'health',
    {
      RecordHeard: notAsked,
      RecordLate: notAsked,
      RecordSilent: notAsked,
      ForgetHealth: notAsked,
      ConfirmUnavailable: async ({ data: { machineId } }) => confirm(monitor, machineId),
      CheckMachine: async ({ data: { machineId } }, cause) => check(ask, monitor, machineId, cause),
    },
    HealthCommand,
  )

function confirm(monitor: Monitor, machineId: string): Answer {
  const silentMs = monitor.silentMs(machineId)
  if (silentMs === null) return refuse('MACHINE_ANSWERS', `nobody listens to ${machineId}, so it may well answer`)
  if (!monitor.isSilent(machineId))
    return refuse('MACHINE_ANSWERS', `${machineId} has been silent for only ${Math.round(silentMs)} ms while observed`)
  return { accepted: true, position: 0, result: { silentMs } }
}

async function check(ask: Ask, monitor: Monitor, machineId: string, cause: Cause): Promise<Answer> {
  const listed = monitor.roster.of(machineId)
  if (listed === undefined) return refuse('MACHINE_UNKNOWN', `there is no machine ${machineId}`)
  const answer = await ask('gateway', { type: 'PingMachine', data: { machineId } }, cause)
  if ('refused' in answer) return answer
  const { connected, answered, roundTripMs } = PingResult.parse(answer.result)
  if (answered) await monitor.hear(machineId)
  const silentMs = monitor.silentMs(machineId)
  const status = monitor.roster.of(machineId)?.status ?? listed.status
  const result = { status: answered ? 'healthy' : status, connected, answered, roundTripMs, silentMs }
  return { accepted: true, position: answer.position, result }
}
