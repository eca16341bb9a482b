import type { Reply } from './post.ts'
import type { DeliveryLimits } from './settings.ts'

export type Verdict =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'gone' }
  /** For how long the receiver wants to be left alone; 0 where it says nothing of it. */
  | { readonly outcome: 'failed'; readonly notBeforeMs: number }

const gone = 410

/** What an answer means. All that is no success may be one later, except that the receiver says it is gone for good. */
export function verdictOf({ status, retryAfter }: Reply, wallMs: number, { delayMaxMs }: DeliveryLimits): Verdict {
  if (status === gone) return { outcome: 'gone' }
  if (status !== null && status >= 200 && status < 300) return { outcome: 'delivered' }
  return { outcome: 'failed', notBeforeMs: Math.min(delayMaxMs, askedMs(retryAfter, wallMs)) }
}

/** `Retry-After` is a number of seconds or a date (RFC 9110); what is neither asks for nothing. */
function askedMs(retryAfter: string | null, wallMs: number): number {
  if (retryAfter === null) return 0
  if (/^\d{1,9}$/.test(retryAfter.trim())) return Number(retryAfter) * 1_000
  const atMs = Date.parse(retryAfter)
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - wallMs)
}
