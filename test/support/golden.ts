import type { Message } from '#contracts/message.ts'
import { newestGolden } from '../contracts/goldenEvents.ts'

/** A fact of every type, as it was stored once. */
export const goldenFacts: readonly Message[] = Object.entries(newestGolden).map(([type, data]) => ({ type, data }))
