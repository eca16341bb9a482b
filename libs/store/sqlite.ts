import { fencedView, noFences, withFence, type AppendWith } from './fence.ts'
import { followPages } from './follow.ts'
import { checkAdopted, checkAppend, checkPage, checkStream, serialise } from './limits.ts'
import { Adoption } from './sqlite/adoption.ts'
import { Append } from './sqlite/append.ts'
import { FencedAppend } from './sqlite/fencedAppend.ts'
import { backupTo } from './sqlite/backup.ts'
import { openEngine, type SqliteOptions } from './sqlite/engine.ts'
import { keptBeside } from './sqlite/kept.ts'
import { verifyFile } from './sqlite/verifyFile.ts'
import type { Work } from './sqlite/writer.ts'
import type { EventStore } from './store.ts'

/** A store in one file, for one process. What `append` has acknowledged is on disk. Throws `StoreFault`. */
export async function openSqliteStore(options: SqliteOptions): Promise<EventStore> {
  const engine = await openEngine(options)
  const { db, writer, reader, news, pages } = engine

  const enqueue = <Answer>(work: Work & { answer: Promise<Answer> }) => {
    writer.enqueue(work)
    return work.answer
  }
  const appendWith: AppendWith = async (fences, stream, expectedVersion, facts, cause) => {
    db()
    checkAppend(stream, expectedVersion, facts, cause)
    return enqueue(new FencedAppend(fences, stream, expectedVersion, facts, serialise(stream, facts), cause))
  }

  const store: EventStore = {
    ...keptBeside(db, (work) => writer.enqueue(work)),
    epoch: engine.epoch,

    // Not `async`, which would cost two more promises for each of the many appends.
    append(stream, expectedVersion, facts, cause) {
      try {
        db()
        checkAppend(stream, expectedVersion, facts, cause)
        return enqueue(new Append(stream, expectedVersion, facts, serialise(stream, facts), cause))
      } catch (error) {
        return Promise.reject(error)
      }
    },
    fenced: (name, token) => fencedView(store, appendWith, withFence(noFences, name, token)),
    async adopt(events) {
      db()
      checkAdopted(events)
      return enqueue(new Adoption(events, serialise('events taken over', events)))
    },
    async read(stream, afterVersion = 0) {
      db()
      checkStream(stream)
      return reader.stream(stream, afterVersion)
    },
    async readAll(after, limit) {
      db()
      checkPage(after, limit)
      return reader.page(after, limit)
    },
    async head() {
      db()
      return writer.position
    },
    follow: (after, signal) => followPages(pages, news, after, signal),

    async backup(target) {
      db()
      return backupTo(options.path, target)
    },
    async verify() {
      db()
      return verifyFile(options.path)
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }
  return store
}
