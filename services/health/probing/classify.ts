import type { CheckLevel, Finding } from '#contracts/health.ts'
import type { Probe } from '#contracts/probe.ts'
import type { Trouble } from '#libs/outbound/trouble.ts'

/**
 * What one look at a machine says. A machine that does not answer is silent; one that answers badly is not. The look may
 * also say nothing of the machine at all: then either its configuration is mistaken, which is told as a check that
 * fails, or this server had trouble of its own, which is held against nobody.
 */
export type Verdict =
  | { readonly reach: 'answers'; readonly finding: Finding; readonly level: CheckLevel; readonly detail: string }
  | { readonly reach: 'silent'; readonly finding: Finding; readonly level: 'failure'; readonly detail: string }
  | { readonly reach: 'unseen'; readonly finding: 'check-failed'; readonly level: 'failure'; readonly detail: string }
  | { readonly reach: 'unseen'; readonly finding: null; readonly level: null; readonly detail: string }

export type SeenByTcp = Trouble | { readonly seen: 'connection' }
export type SeenByHttp =
  | Trouble
  | { readonly seen: 'tls'; readonly code: string }
  | { readonly seen: 'not-http'; readonly code: string }
  | { readonly seen: 'answer'; readonly status: number; readonly body: 'unread' | 'matches' | 'differs' | 'broken-off' }
export type SeenBySsh =
  | Trouble
  | { readonly seen: 'no-key' }
  | { readonly seen: 'host-key'; readonly shown: string }
  /** An error of the protocol, with the level that names the layer it comes from. */
  | { readonly seen: 'error'; readonly level: string; readonly message: string }
  | { readonly seen: 'login' }
  | { readonly seen: 'not-run'; readonly message: string }
  | { readonly seen: 'exit'; readonly code: number | null; readonly printed: string }

type Of<Kind extends Probe['kind']> = Extract<Probe, { kind: Kind }>

const answered = (detail: string): Verdict => ({ reach: 'answers', finding: 'answered', level: 'ok', detail })
const failing = (finding: Finding, detail: string): Verdict => ({ reach: 'answers', finding, level: 'failure', detail })
const silent = (finding: Finding, detail: string): Verdict => ({ reach: 'silent', finding, level: 'failure', detail })
const mistake = (detail: string): Verdict => ({ reach: 'unseen', finding: 'check-failed', level: 'failure', detail })
/** Nothing was learned of the machine. */
export const unseen = (detail: string): Verdict => ({ reach: 'unseen', finding: null, level: null, detail })

/** The errors of a socket or a lookup that mean that the machine does not answer; all others are our own. */
const silences: Readonly<Record<string, readonly [Finding, string]>> = {
  ECONNREFUSED: ['refused', 'it refuses the connection'],
  ETIMEDOUT: ['timed-out', 'the connection timed out'],
  EHOSTUNREACH: ['unreachable', 'there is no way to it'],
  EHOSTDOWN: ['unreachable', 'its network says that it is down'],
  ENETUNREACH: ['unreachable', 'there is no way to its network'],
  ECONNRESET: ['connection-lost', 'it broke the connection off'],
  ECONNABORTED: ['connection-lost', 'the connection was broken off'],
  EPIPE: ['connection-lost', 'it closed the connection'],
  ENOTFOUND: ['name-unknown', 'its name is unknown'],
}

function classifyTrouble(trouble: Trouble): Verdict {
  switch (trouble.seen) {
    case 'fault': {
      const [finding, detail] = silences[trouble.code] ?? [null, '']
      return finding === null ? unseen(`this server could not look: ${trouble.code}`) : silent(finding, detail)
    }
    case 'stall':
      return unseen(`this server was busy with other things for ${Math.round(trouble.lateMs)} ms`)
    case 'address':
      return mistake(
        `${trouble.address} is ${trouble.range}, which is not probed; REMUDA_PROBE_ALLOW=${trouble.allow} would allow it`,
      )
    case 'deadline':
      return classifyDeadline(trouble)
  }
}

function classifyDeadline({ step, timeoutMs }: Extract<Trouble, { seen: 'deadline' }>): Verdict {
  const within = `within ${timeoutMs} ms`
  switch (step) {
    case 'lookup':
      return unseen(`the servers of names did not answer ${within}`)
    case 'connect':
      return silent('timed-out', `no connection ${within}`)
    case 'handshake':
    case 'login':
    case 'answer':
      return silent('timed-out', `it takes connections but did not answer ${within}`)
    case 'body':
      return failing('unexpected-answer', `the whole answer did not come ${within}`)
    case 'command':
      return failing('check-failed', `the command did not end ${within}`)
  }
}

/** A connection that is made is all that is asked for. */
export const classifyTcp = (seen: SeenByTcp): Verdict =>
  seen.seen === 'connection' ? answered('it takes connections') : classifyTrouble(seen)

export function classifyHttp(seen: SeenByHttp, { status, bodyIncludes }: Of<'http'>): Verdict {
  switch (seen.seen) {
    case 'tls':
      return failing('tls-mismatch', `its certificate or its TLS will not do: ${seen.code}`)
    case 'not-http':
      return failing('unexpected-answer', `what it says is not HTTP: ${seen.code}`)
    case 'answer': {
      const isExpected = status === undefined ? seen.status >= 200 && seen.status < 300 : seen.status === status
      const expected = status === undefined ? '200 to 299' : String(status)
      const moved = seen.status >= 300 && seen.status < 400 ? '; redirects are not followed' : ''
      const told = `it answers ${seen.status}`
      if (!isExpected) return failing('unexpected-answer', `${told} where ${expected} is expected${moved}`)
      if (bodyIncludes === undefined || seen.body === 'matches') return answered(told)
      const wrong = seen.body === 'broken-off' ? 'breaks off' : 'does not contain what is expected'
      return failing('unexpected-answer', `${told}, but the answer ${wrong}`)
    }
    case 'fault':
    case 'deadline':
    case 'stall':
    case 'address':
      return classifyTrouble(seen)
  }
}

export function classifySsh(seen: SeenBySsh): Verdict {
  switch (seen.seen) {
    case 'no-key':
      return mistake('this server has no key for SSH; REMUDA_PROBE_SSH_KEY_FILE names its file')
    case 'host-key':
      return failing('identity-mismatch', `it shows the host key ${seen.shown}, which is not the one that is expected`)
    case 'error':
      return seen.level === 'client-authentication'
        ? failing('authentication-refused', 'it does not let the user in with the key of this server')
        : failing('unexpected-answer', `what it says is not the SSH that is expected: ${seen.message}`)
    case 'login':
      return answered('it lets the user in')
    case 'not-run':
      return failing('check-failed', `it does not run the command: ${seen.message}`)
    case 'exit':
      return classifyExit(seen)
    case 'fault':
    case 'deadline':
    case 'stall':
    case 'address':
      return classifyTrouble(seen)
  }
}

function classifyExit({ code, printed }: Extract<SeenBySsh, { seen: 'exit' }>): Verdict {
  const ended = code === null ? 'the command was broken off' : `the command ended with ${code}`
  const detail = printed === '' ? ended : `${ended}: ${printed}`
  if (code === 0) return answered(detail)
  return code === 1
    ? { reach: 'answers', finding: 'check-warned', level: 'warning', detail }
    : failing('check-failed', detail)
}
