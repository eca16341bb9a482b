import { ObserverEvent, type ObserverCommand } from '#contracts/health.ts'
import type { Recorded } from '#contracts/message.ts'
import { observerStream } from '#contracts/subjects.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { observer } from './decider.ts'

/** How stale the last sign that we were listening may be after a crash: that much of a gap is not known exactly. */
const aliveEveryMs = 5_000

/** Where the last sign that an observer was listening is kept. It only ever moves forward. */
export const aliveCheckpoint = (observerId: string) => `observer-alive.${observerId}`

/**
 * Keeps the record of when this observer was listening. A clean stop says so at once; after a crash the gap is taken to
 * begin at the last sign of life that was kept, which is earlier than the crash and so never charges a machine too much.
 */
export function createObservation({ store, clock, log }: Platform, observerId: string) {
  const observers = createHandler({ store, clock, decider: observer, schema: ObserverEvent })
  const stream = observerStream(observerId)
  const checkpoint = aliveCheckpoint(observerId)
  const record = (command: ObserverCommand, before: Recorded | undefined) => {
    const commandId = clock.id()
    const correlationId = before?.meta.correlationId ?? commandId
    const cause = { actor: 'service:health', commandId, correlationId, causationId: before?.meta.id ?? null }
    return observers.handle(stream, command, cause)
  }
  /** What stopped or held up a process is not known to it, so nothing is named as the cause of a gap. */
  const start = (reason: 'stopped' | 'crashed' | 'stalled', startedAt: number) =>
    record({ type: 'StartObservationGap', data: { observerId, reason, startedAt } }, undefined)
  /** A gap ends since it had begun. */
  const end = async (startedAt: number, endedAt: number) => {
    const { version } = await observers.load(stream)
    const { events } = await store.read(stream, Math.max(0, version - 1))
    await record({ type: 'EndObservationGap', data: { observerId, startedAt, endedAt } }, events.at(-1))
  }
  const nowMs = () => clock.steadyMs()

  let timer = clock.timer(aliveEveryMs, sign)
  function sign() {
    store.saveCheckpoint(checkpoint, nowMs()).catch((error: unknown) => log.warn({ error }, 'no sign of life was kept'))
    timer = clock.timer(aliveEveryMs, sign)
  }

  return {
    /** Closes the gap since the last run. Call before anything is concluded from silence. */
    async begin(): Promise<void> {
      const { state } = await observers.load(stream)
      const lastAlive = await store.loadCheckpoint(checkpoint)
      if (state.gap === null && lastAlive > 0) await start('crashed', Math.min(lastAlive, nowMs()))
      const { state: now } = await observers.load(stream)
      if (now.gap !== null) await end(now.gap.startedAt, nowMs())
      await store.saveCheckpoint(checkpoint, nowMs())
    },
    /** The process did not run for a while, though it was never stopped. */
    async stalled(startedAt: number, endedAt: number): Promise<void> {
      await start('stalled', startedAt)
      await end(startedAt, endedAt)
    },
    async stop(): Promise<void> {
      timer.cancel()
      await start('stopped', nowMs())
    },
  }
}
export type Observation = ReturnType<typeof createObservation>
