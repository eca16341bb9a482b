import { readFileSync } from 'node:fs'
import type { Message } from '#contracts/message.ts'

const golden = new URL('../contracts/golden.v1.json', import.meta.url)

/** A fact of every type, as it was stored once. */
export const goldenFacts: readonly Message[] = Object.entries(
  JSON.parse(readFileSync(golden, 'utf8')) as Record<string, object>,
).map(([type, data]) => ({ type, data }))
