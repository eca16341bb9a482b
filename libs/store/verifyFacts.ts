import { createHash } from 'node:crypto'
import type { z } from 'zod'
import type { Recorded } from '#contracts/message.ts'
import { canonical } from './canonical.ts'
import type { EventStore, Verification } from './store.ts'
import { Findings } from './verifyEvents.ts'

const pageEvents = 1_000

export interface FactsVerification extends Verification {
  /** Types that nobody here can read, and how many events have them: written by a newer version, or by nobody we know. */
  readonly unknown: Readonly<Record<string, number>>
  /** Over all events, as `canonical` writes them; the same for every copy. */
  readonly sha256: string
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
  for (let position = 0; ;) {
    signal.throwIfAborted()
    const page = await store.readAll(position, pageEvents)
    for (const event of page) read(event)
    if (page.length === 0) break
    position = page.at(-1)?.meta.position ?? position
  }
  return { events, streams, problems: [...problems, ...findings.problems], unknown, sha256: hash.digest('hex') }
}

function problemsOf({ type, data, meta }: Recorded, schema: z.ZodType): readonly string[] {
  const { success, error } = schema.safeParse({ type, data })
  if (success) return []
  const [issue] = error.issues
  return [`position ${meta.position}: ${type} can not be read: ${issue?.path.join('.')}: ${issue?.message}`]
}
