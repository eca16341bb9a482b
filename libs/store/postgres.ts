import { fencedView, noFences, withFence, type AppendWith } from './fence.ts'
import { followDoorbell } from './followDoorbell.ts'
import { checkAdopted, checkAppend, checkPage, checkStream, serialise } from './limits.ts'
import { Append } from './postgres/append.ts'
import { backupTo } from './postgres/backup.ts'
import { openEngine, type PostgresOptions } from './postgres/engine.ts'
import { asFault, isPassing } from './postgres/faults.ts'
import { keptBeside } from './postgres/kept.ts'
import { closedFault } from './patience.ts'
import { verifyLog } from './postgres/verify.ts'
import type { EventStore } from './store.ts'

/**
 * A store in a PostgreSQL database, which any number of processes may share. What `append` has acknowledged is on the
 * server's disk.
 *
 * When the connection breaks while an append is on its way, its answer is asked for again for `patienceMs`, and nothing
 * is stored twice. Only when the server stays away longer does `append` throw a `StoreFault` that leaves open whether
 * the facts were stored. Whoever then appends again with the same expected version gets `'conflict'` if they were: the
 * handler reads the stream again, finds its own `commandId` there, and answers with what that command stored.
 *
 * Throws `StoreFault` when the server can not be reached or does not write durably, or the database is too new.
 */
export async function openPostgresStore(options: PostgresOptions): Promise<EventStore> {
  const { clock } = options
  const engine = await openEngine(options)
  const { target, epoch, writer, doorbell } = engine
  const reader = () => {
    if (doorbell.news.closed) throw closedFault()
    return engine.reader
  }

  const append: AppendWith = async (fences, stream, expectedVersion, facts, cause) => {
    reader()
    checkAppend(stream, expectedVersion, facts, cause)
    const append = new Append(stream, expectedVersion, facts, serialise(stream, facts), cause, clock, fences)
    writer.enqueue(append)
    return append.answer
  }

  const store: EventStore = {
    ...keptBeside(reader),
    epoch,

    append: (stream, expectedVersion, facts, cause) => append(noFences, stream, expectedVersion, facts, cause),
    fenced: (name, token) => fencedView(store, append, withFence(noFences, name, token)),
    async adopt(events) {
      reader()
      checkAdopted(events)
      return engine.adopt(events, serialise('events taken over', events))
    },
    async read(stream, afterVersion = 0) {
      checkStream(stream)
      return reader().stream(stream, afterVersion)
    },
    async readAll(after, limit) {
      checkPage(after, limit)
      return reader().page(after, limit)
    },
    async head() {
      return reader().head()
    },
    async timeMs() {
      return reader().timeMs()
    },
    follow: (after, signal) =>
      followDoorbell({ reader: engine.reader, doorbell, clock, isPassing, asFault }, after, signal),

    async backup(file) {
      reader()
      await backupTo(target, file, clock)
    },
    async verify() {
      return verifyLog(reader())
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }
  return store
}
