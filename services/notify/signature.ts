import { createHmac } from 'node:crypto'
import type { Clock } from '#libs/clock.ts'

/** As Standard Webhooks writes secrets, so that its libraries take them: https://www.standardwebhooks.com */
const prefix = 'whsec_'
const secretBytes = 32

export const makeSecret = (clock: Pick<Clock, 'bytes'>): string =>
  prefix + Buffer.from(clock.bytes(secretBytes)).toString('base64')

/** One message as it is sent: whoever changes any part of it has no signature for that. */
export interface Signed {
  readonly id: string
  readonly timestampS: number
  readonly body: string
}

/** The headers by which a receiver knows who has sent a message, and when; each secret has signed it. */
export const signedHeaders = ({ id, timestampS, body }: Signed, secrets: readonly string[]) => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestampS),
  'webhook-signature': secrets.map((secret) => `v1,${sign(`${id}.${timestampS}.${body}`, secret)}`).join(' '),
})

const sign = (text: string, secret: string): string =>
  createHmac('sha256', Buffer.from(secret.slice(prefix.length), 'base64'))
    .update(text)
    .digest('base64')
