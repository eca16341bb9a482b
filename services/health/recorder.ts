import { HealthEvent } from '#contracts/health.ts'
import type { Cause, Meta } from '#contracts/message.ts'
import { healthStream } from '#contracts/subjects.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { health, type HealthRecord } from './decider.ts'
import type { Roster } from './roster.ts'

/** Writes down what was found of machines, with the cause that it follows from. */
export class Recorder {
  readonly #platform: Platform
  readonly #roster: Roster
  readonly #records

  constructor(platform: Platform, roster: Roster) {
    const { store, clock } = platform
    this.#platform = platform
    this.#roster = roster
    this.#records = createHandler({ store, clock, decider: health, schema: HealthEvent })
  }

  /**
   * False when it could not be stored: what was not stored was not said, and is to be found again.
   * @param event what made it come to this, where neither the machine nor the mere passing of time did
   */
  async record(command: HealthRecord, event?: Meta): Promise<boolean> {
    const { machineId } = command.data
    try {
      const answer = await this.#records.handle(healthStream(machineId), command, this.#causeOf(command, event))
      if (!('refused' in answer)) return true
      this.#platform.log.warn({ machineId, ...answer }, 'a change of health was refused')
    } catch (error) {
      this.#platform.log.error({ error, machineId }, 'a change of health could not be stored')
    }
    return false
  }

  #causeOf(command: HealthRecord, event: Meta | undefined): Cause {
    const commandId = this.#platform.clock.id()
    const { machineId } = command.data
    // A machine's own word starts something new; silence only follows from what was known of it.
    if (isMachinesWord(command))
      return { actor: `machine:${machineId}`, commandId, correlationId: commandId, causationId: null }
    const listed = this.#roster.of(machineId)
    const correlationId = event?.correlationId ?? listed?.correlationId ?? commandId
    return { actor: 'service:health', commandId, correlationId, causationId: event?.id ?? listed?.causationId ?? null }
  }
}

/** What a look at it finds is not its word; nor is it when a check is no longer made: then nothing was found. */
const isMachinesWord = (command: HealthRecord): boolean =>
  (command.type === 'RecordHeard' && command.data.evidence.kind === 'heartbeat') ||
  (command.type === 'RecordCheck' &&
    command.data.evidence.kind === 'script-check' &&
    'finding' in command.data.evidence)
