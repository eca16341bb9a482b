import { hash } from 'node:crypto'

/**
 * The last event of every commit carries a seal: a SHA-256 over the seal before it and every event since. A byte that
 * changed, an event that went missing or was put in between breaks it, and whoever wrote down one seal elsewhere can
 * tell later that nothing before it was touched.
 */
export const firstSeal = new Uint8Array(32)

/** What a seal covers of one event. Its position follows from the order. */
export const sealText = (stream: string, version: number, type: string, data: string, meta: string): string =>
  `${stream}\n${version}\n${type}\n${data}\n${meta}\n`

/** The seal of a commit: `first` is the position of its first event, `at` its time, `texts` its events in order. */
export const sealAfter = (seal: Uint8Array, first: number, at: number, texts: string): Uint8Array =>
  hash('sha256', `${Buffer.from(seal).toString('hex')}\n${first}\n${at}\n${texts}`, 'buffer')
