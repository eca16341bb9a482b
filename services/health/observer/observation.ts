import { ObserverEvent, type GapReason, type ObserverCommand } from '#contracts/health.ts'
import type { Recorded } from '#contracts/message.ts'
import { observerStream } from '#contracts/subjects.ts'
import type { Timer } from '#libs/clock.ts'
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
  const start = async (reason: GapReason, startedAt: number) => {
    await record({ type: 'StartObservationGap', data: { observerId, reason, startedAt } }, undefined)
  }
  /** A gap ends since it had begun. */
  const end = async (endedAt: number) => {
    const { version, state } = await observers.load(stream)
    if (state.gap === null) return
    const { events } = await store.read(stream, Math.max(0, version - 1))
    const { startedAt } = state.gap
    await record({ type: 'EndObservationGap', data: { observerId, startedAt, endedAt } }, events.at(-1))
  }
  const nowMs = () => clock.steadyMs()

  let timer: Timer | undefined
  function sign() {
    store.saveCheckpoint(checkpoint, nowMs()).catch((error: unknown) => log.warn({ error }, 'no sign of life was kept'))
    timer = clock.timer(aliveEveryMs, sign)
  }
  /** Closes the gap since somebody last listened under this name. */
  const close = async () => {
    const { state } = await observers.load(stream)
    const lastAlive = await store.loadCheckpoint(checkpoint)
    if (state.gap === null && lastAlive > 0) await start('crashed', Math.min(lastAlive, nowMs()))
    await end(nowMs())
  }

  return {
    start,
    end,
    /** Closes the gap since the last run. Call before anything is concluded from silence. */
    async begin(): Promise<void> {
      await close()
      await store.saveCheckpoint(checkpoint, nowMs())
      timer = clock.timer(aliveEveryMs, sign)
    },
    /** Closes the last gap of an observer that is no more. */
    async conclude(): Promise<void> {
      const { state } = await observers.load(stream)
      if (state.gap !== null) await end(nowMs())
    },
    /** Nobody could be heard for a while that is over. */
    async missed(reason: GapReason, startedAt: number, endedAt: number): Promise<void> {
      await start(reason, startedAt)
      await end(endedAt)
    },
    /** From now on nobody listens. */
    async stop(): Promise<void> {
      timer?.cancel()
      await start('stopped', nowMs())
    },
    /** Keeps the record no more, since somebody else does. */
    abandon(): void {
      timer?.cancel()
    },
  }
}
export type Observation = ReturnType<typeof createObservation>
