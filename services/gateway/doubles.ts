import type { SessionSignal } from '#contracts/signals.ts'
import { sessionSignal } from '#contracts/subjects.ts'
import type { Rejection } from './admission.ts'
import type { Session, Shared } from './session.ts'

type Needs = Pick<Shared, 'live' | 'settings' | 'platform' | 'known'>

const detail =
  'Another machine uses the same key, as when its disk was copied. Remove the data folder of one of the two.'
const found = 'two sessions with its key answered at the same time, as when the disk of a machine was copied'

/** Both may be at one gateway, or each at another. */
export const endShared = (session: Pick<Session, 'end'>): void => session.end('MACHINE_KEY_SHARED', detail, true)

/** What a machine in quarantine is told. It may come again, since a person may let it out at any time. */
export const quarantined = (machineId: string, why: string): Rejection => ({
  admitted: false,
  code: 'MACHINE_QUARANTINED',
  detail:
    `The machine is in quarantine: ${why}. Remove the data folder of the copy, ` +
    `then let it out with POST /v1/machines/${machineId}/release.`,
  final: false,
})

/**
 * Makes sure that a machine has one session. An older one that does not answer is dead and makes room. When it does
 * answer, two machines use one key and cannot be told apart: neither may work, since either may be the copy.
 */
export async function isAlone(newcomer: Pick<Session, 'end'>, machineId: string, needs: Needs): Promise<boolean> {
  const { live, settings, known } = needs
  // Again until nobody is left: another newcomer may have taken the place in the meantime.
  for (let older = live.get(machineId); older; older = live.get(machineId)) {
    if ((await older.ping(settings.doublePingMs)) !== null) {
      endShared(older)
      endShared(newcomer)
      quarantine(needs, machineId)
      return false
    }
    older.end('SESSION_REPLACED', 'The machine has connected again.', false)
  }
  // While the newcomer was being looked at, others of its kind may have been found out.
  const why = known.machine(machineId)?.quarantine ?? null
  if (why === null) return true
  const { code, detail: told, final } = quarantined(machineId, why)
  newcomer.end(code, told, final)
  return false
}

/** Has it written down, so that no gateway lets the machine in until a person has looked, also after a restart. */
function quarantine({ platform }: Needs, machineId: string): void {
  const { ask, clock, log } = platform
  log.error({ machineId }, 'ALERT: two machines use the same key; both are shut out')
  const commandId = clock.id()
  const cause = { actor: `machine:${machineId}`, commandId, correlationId: commandId, causationId: null }
  const command = { type: 'QuarantineMachine', data: { machineId, detail: found } } as const
  // When it cannot be written down, both are out all the same, and are found out again when they come back.
  const failed = (error: unknown) => log.error({ machineId, error }, 'a machine could not be put in quarantine')
  ask('registry', command, cause).then((answer) => {
    if ('refused' in answer) failed(answer)
  }, failed)
}

/** A machine has begun a session here. */
export function tellOtherGateways({ settings, platform }: Pick<Needs, 'settings' | 'platform'>, machineId: string) {
  const signal: SessionSignal = { gatewayId: settings.gatewayId, machineId, isShared: false }
  platform.bus.publish(sessionSignal, signal)
}

/**
 * Does the same between gateways: who begins a session says so, and where the machine has another one it is asked.
 * @returns what ends the listening
 */
export function watchOtherGateways(needs: Needs): () => void {
  const { live, settings, platform } = needs
  const { gatewayId, doublePingMs } = settings
  const hear = async (signal: SessionSignal) => {
    const ours = live.get(signal.machineId)
    if (signal.gatewayId === gatewayId || ours === undefined) return
    if (signal.isShared) return endShared(ours)
    if ((await ours.ping(doublePingMs)) === null)
      return ours.end('SESSION_REPLACED', 'The machine has connected elsewhere.', false)
    endShared(ours)
    platform.bus.publish(sessionSignal, { ...signal, gatewayId, isShared: true } satisfies SessionSignal)
    quarantine(needs, signal.machineId)
  }
  const listening = platform.bus.subscribe(sessionSignal, ({ payload }) => void hear(payload as SessionSignal))
  return () => listening.stop()
}
