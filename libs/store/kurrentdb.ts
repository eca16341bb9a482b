import { fencedView, noFences, withFence, type AppendWith } from './fence.ts'
import { followDoorbell } from './followDoorbell.ts'
import { openEngine, type KurrentOptions } from './kurrentdb/engine.ts'
import { asFault, isPassing } from './kurrentdb/faults.ts'
import { adoptInto } from './kurrentdb/adoption.ts'
import { succeed } from './kurrentdb/home.ts'
import { keptBeside } from './kurrentdb/kept.ts'
import { verifyLog } from './kurrentdb/verify.ts'
import { checkEpoch } from './keptLimits.ts'
import { checkAdopted, checkAppend, checkPage, checkStream, serialise } from './limits.ts'
import { closedFault } from './patience.ts'
import { StoreFault, type EventStore } from './store.ts'

/**
 * A store in a KurrentDB cluster, which any number of processes may share, with other applications beside it. What
 * `append` has acknowledged is on the disks of a majority of the nodes.
 *
 * A position is where KurrentDB has the event in its log, in bytes: it only ever grows, and there are gaps.
 *
 * When an answer does not come, what was sent may be stored. It is sent again for `patienceMs`, with the same ids, by
 * which the server knows it. Only when the server stays away longer does `append` throw a `StoreFault` that leaves open
 * whether the facts were stored. Whoever then appends again with the same expected version gets `'conflict'` if they
 * were: the handler reads the stream again, finds its own `commandId` there, and answers with what that command stored.
 *
 * Throws `StoreFault` when the cluster can not be reached, or does not let us read `$all`.
 */
export async function openKurrentStore(options: KurrentOptions): Promise<EventStore> {
  const { clock } = options
  const engine = await openEngine(options)
  const { epoch, reader, doorbell, target } = engine
  const open = () => {
    if (doorbell.news.closed) throw closedFault()
    return engine
  }

  const append: AppendWith = async (fences, stream, expectedVersion, facts, cause) => {
    const { writer } = open()
    checkAppend(stream, expectedVersion, facts, cause)
    return writer.append(fences, stream, expectedVersion, facts, cause)
  }

  const store: EventStore = {
    ...keptBeside(open),
    epoch,

    append: (stream, expectedVersion, facts, cause) => append(noFences, stream, expectedVersion, facts, cause),
    fenced: (name, token) => fencedView(store, append, withFence(noFences, name, token)),
    async adopt(events) {
      const { writer } = open()
      checkAdopted(events)
      return adoptInto({ reader, writer, clock }, events, serialise('events taken over', events))
    },
    async read(stream, afterVersion = 0) {
      checkStream(stream)
      return open().reader.stream(stream, afterVersion)
    },
    async readAll(after, limit) {
      checkPage(after, limit)
      return open().reader.page(after, limit)
    },
    async head() {
      return open().reader.head()
    },
    follow: (after, signal) => followDoorbell({ reader, doorbell, clock, isPassing, asFault }, after, signal),

    async succeed(other) {
      checkEpoch(other)
      await succeed(open().registers, target, other)
    },
    async backup() {
      throw new StoreFault(
        'Remuda can not copy a KurrentDB cluster. Whoever runs it backs it up: by snapshots of the volume, or by copying ' +
          "the files of a node in the order that KurrentDB's manual gives. After a restore, start Remuda with " +
          '?restored=<name of the backup> in the store URL.',
      )
    },
    async verify() {
      return verifyLog(open().reader, target.names)
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }
  return store
}
