/** What the server answers instead of a result: RFC 9457 problem details. */
export interface ProblemBody {
  readonly title?: string
  readonly status?: number
  readonly detail?: string
  readonly code?: string
}

/** A request that did not give what was asked for; `status` 0 means that the server could not be reached. */
export class Problem extends Error {
  override name = 'Problem'
  readonly status: number
  readonly code: string
  readonly title: string

  constructor(status: number, body: ProblemBody) {
    super(body.detail ?? body.title ?? `The server answered ${status}.`)
    this.status = status
    this.code = body.code ?? 'FAULT'
    this.title = body.title ?? 'That did not work.'
  }
}

/** What a person can do about it, in one sentence. */
export function nextStep({ status, code }: Problem): string {
  if (status === 0) return 'Check that the server runs and that this machine reaches it, then try again.'
  if (status === 401) return 'Sign in with a token that is valid.'
  if (status === 403) return 'Sign in with a token of a wider scope, or ask an administrator.'
  if (status === 404) return 'It may have been removed, or the link is mistyped.'
  if (status === 412) return 'Reload, look at what changed, and try again.'
  if (status === 429) return 'Wait a moment, then try again.'
  if (code === 'POSITION_NOT_REACHED') return 'The read model is catching up. Try again in a moment.'
  if (status >= 500) return 'Try again; if it stays so, the server log says more.'
  return 'Put right what it names and try again.'
}

/** Reads the body of a failed response, whatever it is. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => ({}))
  return new Problem(response.status, typeof body === 'object' && body !== null ? body : {})
}

export const asProblem = (fault: unknown): Problem =>
  fault instanceof Problem
    ? fault
    : new Problem(0, { title: 'The server cannot be reached.', detail: 'No answer came from the server.' })
