import type { ResolvedEvent } from '@kurrent/kurrentdb-client'
import type { Verification } from '../store.ts'
import { Findings } from '../verifyEvents.ts'
import { recordedOf } from './events.ts'
import type { Names } from './names.ts'
import type { Reader } from './reader.ts'

/**
 * Reads all events of the store once: positions that only grow, versions without gaps in every stream, every event
 * readable. Positions have gaps by nature, and the server keeps its own checksums of what is on its disks.
 */
export async function verifyLog(reader: Reader, names: Names): Promise<Verification> {
  const check = new LogCheck(names)
  for await (const event of reader.throughout()) check.next(event)
  return check.verification
}

class LogCheck {
  readonly #names: Names
  readonly #findings = new Findings()
  readonly #versions = new Map<string, number>()
  #position = 0n
  #events = 0

  constructor(names: Names) {
    this.#names = names
  }

  get verification(): Verification {
    return { events: this.#events, streams: this.#versions.size, problems: this.#findings.problems }
  }

  next(told: ResolvedEvent): void {
    const { event } = told
    if (event === undefined) return
    const stream = this.#names.streamOf(event.streamId)
    const position = event.position?.commit ?? 0n
    this.#events++
    if (position <= this.#position) this.#findings.add(`position ${position}: comes after ${this.#position}`)
    this.#position = position

    const version = Number(event.revision) + 1
    const expected = (this.#versions.get(stream) ?? 0) + 1
    if (version !== expected)
      this.#findings.add(`position ${position}: ${stream} continues with version ${version}, not ${expected}`)
    this.#versions.set(stream, version)
    this.#checkReadable(told, position, stream)
  }

  #checkReadable(told: ResolvedEvent, position: bigint, stream: string): void {
    try {
      recordedOf(told, this.#names)
    } catch {
      this.#findings.add(`position ${position}: the event of ${stream} can not be read`)
    }
  }
}
