import { createHash } from 'node:crypto'
import type { z } from 'zod'
import type { Recorded } from '#contracts/message.ts'
import { canonical } from './canonical.ts'
import { StoreFault, type EventStore, type Verification } from './store.ts'
import { Findings } from './verifyEvents.ts'

const pageEvents = 1_000

export interface FactsVerification extends Verification {
  /** Types that nobody here can read, and how many events have them: written by a newer version, or by nobody we know. */
  readonly unknown: Readonly<Record<string, number>>
  /** Over all events, as `canonical` writes them; the same for every copy. Null when not all could be read. */
  readonly sha256: string | null
}

/** Reads a whole store twice: its own check of itself, and whether we can read what its events say. */
export async function verifyFacts(
  store: EventStore,
  schemas: ReadonlyMap<string, z.ZodType>,
  signal: AbortSignal,
): Promise<FactsVerification> {
  const { events, streams, problems } = await store.verify()
  const findings = new Findings()
  const unknown: Record<string, number> = {}
  const hash = createHash('sha256')
  const read = (event: Recorded) => {
    hash.update(canonical(event))
    const schema = schemas.get(event.type)
    if (schema === undefined) unknown[event.type] = (unknown[event.type] ?? 0) + 1
    else for (const problem of problemsOf(event, schema)) findings.add(problem)
  }
  let readAll = true
  try {
    await readPages(store, signal, read)
  } catch (error) {
    if (!(error instanceof StoreFault)) throw error
    findings.add(`reading stopped: ${error.message}`)
    readAll = false
  }
  const sha256 = readAll ? hash.digest('hex') : null
  return { events, streams, problems: [...problems, ...findings.problems], unknown, sha256 }
}

async function readPages(store: EventStore, signal: AbortSignal, read: (event: Recorded) => void): Promise<void> {
  for (let page, position = 0; (page = await store.readAll(position, pageEvents)).length > 0;) {
    signal.throwIfAborted()
    for (const event of page) read(event)
    position = page.at(-1)?.meta.position ?? position
  }
}

function problemsOf({ type, data, meta }: Recorded, schema: z.ZodType): readonly string[] {
  const { success, error } = schema.safeParse({ type, data })
  if (success) return []
  const [issue] = error.issues
  return [`position ${meta.position}: ${type} can not be read: ${issue?.path.join('.')}: ${issue?.message}`]
}
