import type { Cause } from '#contracts/message.ts'
import { EnvironmentPolicy, type PolicySettings } from '#contracts/policySettings.ts'
import { environmentStream, machineStream } from '#contracts/subjects.ts'
import type { EventStore } from '#libs/store/store.ts'

const environmentId = 'production'
const appendsMax = 2_000
const cause: Cause = { actor: 'bench', commandId: 'bench', correlationId: 'bench', causationId: null }

/** Appends what would have happened if so many machines had registered, and answers their ids. */
export async function registerMachines(
  store: EventStore,
  count: number,
  health: Partial<PolicySettings['health']>,
): Promise<readonly string[]> {
  const policy = EnvironmentPolicy.parse({ health })
  const environment = { environmentId, name: environmentId, policy, policyVersion: 1 }
  await store.append(environmentStream(environmentId), 0, [{ type: 'EnvironmentCreated', data: environment }], cause)
  const about = { environmentId, roles: ['web'], attributes: {}, facts: null, enrollmentId: null, returnedFrom: null }
  const machineIds = Array.from({ length: count }, (_, number) => `m-${String(number).padStart(20, '0')}`)
  for (let first = 0; first < count; first += appendsMax)
    await Promise.all(
      machineIds.slice(first, first + appendsMax).map((machineId) => {
        const data = { ...about, machineId, name: machineId, publicKey: machineId }
        return store.append(machineStream(machineId), 0, [{ type: 'MachineRegistered', data }], cause)
      }),
    )
  return machineIds
}
