import type { WorkOrder } from '#contracts/agent.ts'
import { outputCharsMax } from '#contracts/process.ts'
import type { Clock } from '#libs/clock.ts'
import type { RunOptions, RunOutcome, StopReason } from './ports.ts'

type Call = NonNullable<WorkOrder['http']>

/** How much of an answer is read to look into it, and how much of it may stand in the log. */
const bodyBytesMax = 1024 * 1024
const bodyLoggedCharsMax = 1_000
const codePattern = /^[A-Z][A-Z_0-9]{1,40}$/

/**
 * Calls an address in the place of a script. What is told of it shows the address and headers as they were written and
 * never what variables made of them, since those may be secrets.
 */
export async function callHttp(clock: Clock, order: WorkOrder, call: Call, run: RunOptions): Promise<RunOutcome> {
  const end = new AbortController()
  const stop = (reason: StopReason | 'time-limit') => () => end.abort(reason)
  const timer = clock.timer(order.timeLimitMs, stop('time-limit'))
  const onAbort = () => end.abort(run.signal.reason)
  run.signal.addEventListener('abort', onAbort, { once: true })
  if (run.signal.aborted) onAbort()
  try {
    return await checked(call, order.environment, end.signal, run)
  } catch (error) {
    if (end.signal.aborted) return failed(end.signal.reason as StopReason | 'time-limit', detailOf(end.signal, order))
    if (error instanceof MissingVariable) return failed('could-not-start', error.message)
    return failed('no-answer', `${call.method} ${call.url}: ${codeOf(error)}`)
  } finally {
    timer.cancel()
    run.signal.removeEventListener('abort', onAbort)
  }
}

async function checked(
  call: Call,
  variables: WorkOrder['environment'],
  signal: AbortSignal,
  { output }: RunOptions,
): Promise<RunOutcome> {
  const { method, headers, body, expect } = call
  const asWritten = Object.entries(headers).map(([name, value]) => [name, filled(value, variables)] as const)
  const response = await fetch(filled(call.url, variables, encodeURIComponent), {
    ...{ method, headers: Object.fromEntries(asWritten), redirect: 'manual', signal },
    ...(body !== undefined && { body: filled(body, variables) }),
  })
  const text = await readAtMost(response, bodyBytesMax)
  output(`${method} ${call.url}: ${response.status}, ${text.length} characters\n${text.slice(0, bodyLoggedCharsMax)}\n`)
  const isExpected = expect.statuses?.includes(response.status) ?? response.ok
  if (!isExpected) return failed('unexpected-answer', `it was answered with status ${response.status}`)
  if (expect.bodyIncludes !== undefined && !text.includes(expect.bodyIncludes))
    return failed('unexpected-answer', 'the body of the answer does not include what was expected')
  if (call.output === undefined) return { outcome: 'succeeded', outputs: {} }
  if (text.length > outputCharsMax)
    return failed('bad-output', `the answer has ${text.length} characters; an output takes ${outputCharsMax}`)
  return { outcome: 'succeeded', outputs: { [call.output]: text } }
}

async function readAtMost(response: Response, bytesMax: number): Promise<string> {
  const decoder = new TextDecoder()
  let bytes = 0
  let text = ''
  for await (const part of response.body ?? []) {
    const taken = part.subarray(0, bytesMax - bytes)
    bytes += taken.length
    text += decoder.decode(taken, { stream: true })
    // Leaving the loop lets go of the connection, so that nobody has to send the rest.
    if (bytes >= bytesMax) break
  }
  return text + decoder.decode()
}

class MissingVariable extends Error {}

/** The text with each `${NAME}` replaced by the value of the variable. */
function filled(
  text: string,
  variables: WorkOrder['environment'],
  written: (value: string) => string = String,
): string {
  return text.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined
    if (value === undefined) throw new MissingVariable(`there is no variable ${name}`)
    return written(value)
  })
}

/** Only the code: a message may show the address with the values in it. */
function codeOf(error: unknown): string {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } }
  const code = cause?.code
  return typeof code === 'string' && codePattern.test(code) ? code : 'it cannot be called'
}

const detailOf = ({ reason }: AbortSignal, { timeLimitMs }: WorkOrder): string =>
  reason === 'time-limit' ? `it took longer than ${timeLimitMs} ms` : ''

const failed = (reason: Extract<RunOutcome, { outcome: 'failed' }>['reason'], detail: string): RunOutcome => ({
  outcome: 'failed',
  reason,
  exitCode: null,
  detail,
})
