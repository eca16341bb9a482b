import { z } from 'zod'
import { EnrollReply } from '#contracts/agent.ts'
import type { Clock } from '#libs/clock.ts'
import type { Enroller } from './ports.ts'

const answerMs = 30_000
const enrolPath = '/v1/agent/enroll'

const Refusal = z.object({ code: z.string(), detail: z.string(), status: z.number() })
/** The server cannot answer now, but may later. */
const passing = (status: number) => status >= 500 || status === 429 || status === 408

/** Enrols over HTTP. */
export function httpEnroller(server: string, clock: Clock): Enroller {
  const url = new URL(enrolPath, server)
  return {
    async enroll(request) {
      const late = new AbortController()
      using _timer = deadline(clock, late)
      const response = await reach(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
        signal: late.signal,
        // The token goes to the server that was named and nowhere else.
        redirect: 'error',
      })
      const body: unknown = await response.json()
      if (response.ok) return EnrollReply.parse(body)
      const refusal = Refusal.parse(body)
      if (passing(refusal.status)) throw new Error(`${url.host} answers ${refusal.status}: ${refusal.detail}`)
      return { refused: refusal.code, detail: refusal.detail }
    },
  }
}

/** What went wrong on the way is hidden in the cause of what is thrown. */
export async function reach(url: URL, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request)
  } catch (error) {
    const { message, cause } = error as Error
    const why = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message
    throw new Error(`cannot reach ${url.host}: ${why}`, { cause: error })
  }
}

export function deadline(clock: Clock, late: AbortController): Disposable {
  const timer = clock.timer(answerMs, () => late.abort(new Error(`no answer within ${answerMs} ms`)))
  return { [Symbol.dispose]: () => timer.cancel() }
}
