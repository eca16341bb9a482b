import { agentProtocol, sessionProof, type AgentFrame } from '#contracts/agent.ts'
import type { RemovalCause } from '#contracts/machine.ts'
import type { Answer } from '#contracts/command.ts'
import type { Consumer } from '#libs/consume.ts'
import { verifySignature } from '#libs/machineKey.ts'
import type { Platform } from '#libs/platform.ts'
import { quarantined } from './doubles.ts'
import { describe, type Known, type KnownMachine } from './known.ts'
import type { GatewaySettings } from './settings.ts'

export type Hello = Extract<AgentFrame, { type: 'hello' }>

export type Admission = { readonly admitted: true; readonly returnedFrom: RemovalCause | null } | Rejection
export interface Rejection {
  readonly admitted: false
  readonly code: string
  readonly detail: string
  /** Whether coming again with the same credential is of no use. */
  readonly final: boolean
}

export interface AdmissionNeeds {
  readonly platform: Platform
  readonly known: Known
  readonly consumer: Pick<Consumer, 'reached'>
  readonly settings: GatewaySettings
}

const reject = (code: string, detail: string, final: boolean): Rejection => ({ admitted: false, code, detail, final })

/**
 * Decides on who says hello: whether it holds the key of the machine that it says it is, and whether that machine is
 * registered, or may be again.
 * @param nonce what this session was challenged with; a signature over another one is a recording
 */
export async function admit(hello: Hello, nonce: string, needs: AdmissionNeeds): Promise<Admission> {
  const { machineId, signature, protocol, epoch } = hello
  const { store } = needs.platform
  if (protocol !== agentProtocol) {
    return reject(
      'PROTOCOL_UNKNOWN',
      `This server speaks version ${agentProtocol} of the protocol, not ${protocol}.`,
      false,
    )
  }
  const machine = await find(machineId, needs)
  if (machine === 'not read yet')
    return reject(
      'SERVICE_UNAVAILABLE',
      'The server is busy and has not read who was registered last. Come again.',
      false,
    )
  if (!machine?.publicKey) return reject('MACHINE_UNKNOWN', `There is no machine ${machineId} with a key here.`, true)
  if (!verifySignature(machine.publicKey, sessionProof(nonce, machineId), signature)) {
    return reject('CREDENTIAL_INVALID', `This is not signed with the key of ${machineId}.`, true)
  }
  // The store that this server works on has been replaced by one that was restored from a backup.
  if (epoch > store.epoch) {
    return reject('EPOCH_STALE', `This server is at epoch ${store.epoch}, the machine has worked for ${epoch}.`, false)
  }
  if (machine.quarantine !== null) return quarantined(machineId, machine.quarantine)
  return register(hello, machine, needs)
}

/** A machine that has just been enrolled may come sooner than the news of it, on a busy server by a good deal. */
async function find(machineId: string, needs: AdmissionNeeds): Promise<KnownMachine | 'not read yet' | undefined> {
  const { platform, known, consumer, settings } = needs
  const machine = known.machine(machineId)
  if (machine) return machine
  const isUpToDate = await consumer.reached(await platform.store.head(), settings.unknownWaitMs)
  return known.machine(machineId) ?? (isUpToDate ? undefined : 'not read yet')
}

/** Tells the registry what is new: that a removed machine is there again, or says other things of itself. */
async function register(hello: Hello, machine: KnownMachine, { platform }: AdmissionNeeds): Promise<Admission> {
  const { machineId, facts, attributes } = hello
  const { removal } = machine
  const admitted: Admission = { admitted: true, returnedFrom: removal }
  if (removal === null && describe(facts, attributes) === machine.description) return admitted

  const { clock, ask, log } = platform
  const commandId = clock.id()
  const cause = { actor: `machine:${machineId}`, commandId, correlationId: commandId, causationId: null }
  let answer: Answer
  try {
    answer = await ask('registry', { type: 'ReregisterMachine', data: { machineId, facts, attributes } }, cause)
  } catch (error) {
    log.warn({ machineId, error }, 'the registry does not answer for a machine')
    // That it answers counts, also while nobody can write down what it says of itself.
    if (removal === null) return admitted
    return reject('SERVICE_UNAVAILABLE', 'The registry does not answer. Come again.', false)
  }
  if (!('refused' in answer)) return admitted
  if (removal === null) {
    log.warn({ machineId, ...answer }, 'what a machine says of itself was refused')
    return admitted
  }
  return reject(answer.refused, answer.detail, true)
}
