import { place } from './location.svelte.ts'

/** The moment that the page is read as of, as the address has it; empty: now. */
export const past = (): string => place.route.query['asOf'] ?? ''

/** What a request asks besides, to be answered from that moment. */
export const pastQuery = (): Record<string, string> => (past() === '' ? {} : { asOf: past() })
