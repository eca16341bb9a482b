import type { Session, Shared } from './session.ts'

const detail =
  'Another machine uses the same key, as when its disk was copied. Remove the data folder of one of the two.'

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
      older.end('MACHINE_KEY_SHARED', detail, true)
      newcomer.end('MACHINE_KEY_SHARED', detail, true)
      return false
    }
    older.end('SESSION_REPLACED', 'The machine has connected again.', false)
  }
  return true
}
