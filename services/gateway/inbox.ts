import type { Answer } from '#contracts/command.ts'
import { GatewayCommand, type PingResult } from '#contracts/gateway.ts'
import { answerCommands } from '#libs/ask.ts'
import type { Shared } from './session.ts'

/** Takes what others ask of the gateway: whether a machine answers at this moment. */
export const startInbox = (shared: Shared) =>
  answerCommands(
    shared.platform.bus,
    'gateway',
    { PingMachine: ({ data: { machineId } }) => ping(shared, machineId) },
    GatewayCommand,
    shared.settings.gatewayId,
  )

async function ping({ live, settings }: Shared, machineId: string): Promise<Answer> {
  const session = live.get(machineId)
  const roundTripMs = session ? await session.ping(settings.pingMs) : null
  const result: PingResult = { connected: session !== undefined, answered: roundTripMs !== null, roundTripMs }
  return { accepted: true, position: 0, result: { ...result } }
}
