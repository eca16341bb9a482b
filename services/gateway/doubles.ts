import type { SessionSignal } from '#contracts/signals.ts'
import { sessionSignal } from '#contracts/subjects.ts'
import type { Session, Shared } from './session.ts'

const detail =
  'Another machine uses the same key, as when its disk was copied. Remove the data folder of one of the two.'

/** Both may be at one gateway, or each at another. */
export const endShared = (session: Pick<Session, 'end'>): void => session.end('MACHINE_KEY_SHARED', detail, true)

/**
 * Makes sure that a machine has one session. An older one that does not answer is dead and makes room. When it does
 * answer, two machines use one key and cannot be told apart: neither may work, since either may be the copy.
 */
export async function isAlone(
  newcomer: Pick<Session, 'end'>,
  machineId: string,
  { live, settings, platform }: Pick<Shared, 'live' | 'settings' | 'platform'>,
): Promise<boolean> {
  // Again until nobody is left: another newcomer may have taken the place in the meantime.
  for (let older = live.get(machineId); older; older = live.get(machineId)) {
    if ((await older.ping(settings.doublePingMs)) !== null) {
      platform.log.error({ machineId }, 'ALERT: two machines use the same key; both are shut out')
      endShared(older)
      endShared(newcomer)
      return false
    }
    older.end('SESSION_REPLACED', 'The machine has connected again.', false)
  }
  return true
}

/** A machine has begun a session here. */
export function tellOtherGateways({ settings, platform }: Pick<Shared, 'settings' | 'platform'>, machineId: string) {
  const signal: SessionSignal = { gatewayId: settings.gatewayId, machineId, isShared: false }
  platform.bus.publish(sessionSignal, signal)
}

/**
 * Does the same between gateways: who begins a session says so, and where the machine has another one it is asked.
 * @returns what ends the listening
 */
export function watchOtherGateways(shared: Pick<Shared, 'live' | 'settings' | 'platform'>): () => void {
  const { live, settings, platform } = shared
  const { gatewayId, doublePingMs } = settings
  const hear = async (signal: SessionSignal) => {
    const ours = live.get(signal.machineId)
    if (signal.gatewayId === gatewayId || ours === undefined) return
    if (signal.isShared) return endShared(ours)
    if ((await ours.ping(doublePingMs)) === null)
      return ours.end('SESSION_REPLACED', 'The machine has connected elsewhere.', false)
    platform.log.error({ machineId: signal.machineId }, 'ALERT: two machines use the same key; both are shut out')
    endShared(ours)
    platform.bus.publish(sessionSignal, { ...signal, gatewayId, isShared: true } satisfies SessionSignal)
  }
  const listening = platform.bus.subscribe(sessionSignal, ({ payload }) => void hear(payload as SessionSignal))
  return () => listening.stop()
}
