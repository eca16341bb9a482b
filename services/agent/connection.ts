import type { Identity } from './identity.ts'
import type { AgentPorts, AgentSocket } from './ports.ts'
import { runSession, type SessionEnd, type SessionNeeds } from './session.ts'
import type { AgentSettings } from './settings.ts'

/** A session that ends sooner counts as a failure, so that a server that drops everyone is not stormed. */
const stableMs = 10_000

/** How the connection to the server stands. */
export interface Line {
  socket: AgentSocket | null
  isWelcome: boolean
  /** Tries in a row that led to no lasting session; `'refused'` when the server has said no for good. */
  failures: number | 'refused'
  /** A join token makes good for one refusal in the life of a process: a person who removes a machine means it. */
  mayEnrolAgain: boolean
}

export const newLine = (): Line => ({ socket: null, isWelcome: false, failures: 0, mayEnrolAgain: true })

export type Working = Pick<SessionNeeds, 'journal' | 'reports' | 'tasks' | 'checks'>

/** Connects, and stays connected until the connection ends for whatever reason. */
export async function connectOnce(
  ports: AgentPorts,
  settings: AgentSettings,
  identity: Identity,
  line: Line,
  working: Working,
  closing: AbortSignal,
): Promise<SessionEnd> {
  let welcomedMs = Number.POSITIVE_INFINITY
  const onWelcome = () => {
    welcomedMs = ports.clock.steadyMs()
    line.isWelcome = true
    line.mayEnrolAgain = false
    if (line.failures === 'refused') line.failures = 0
  }
  try {
    line.socket = await ports.transport.connect()
    if (closing.aborted) return { kind: 'lost', why: 'the agent is stopping' }
    return await runSession(line.socket, { ...ports, ...working, settings, identity, onWelcome })
  } catch (error) {
    return { kind: 'lost', why: error instanceof Error ? error.message : String(error) }
  } finally {
    if (ports.clock.steadyMs() - welcomedMs >= stableMs) line.failures = 0
    line.socket?.close()
    line.socket = null
    line.isWelcome = false
  }
}

/** Says why the machine is not connected, and how that counts. */
export function explain(end: SessionEnd, line: Line, { log }: AgentPorts): void {
  if (end.kind === 'refused' && end.final) {
    log.error({ code: end.code }, `the server refuses this machine: ${end.detail}`)
    line.failures = 'refused'
    return
  }
  countFailure(line)
  const why = end.kind === 'refused' ? `${end.code}: ${end.detail}` : end.why
  log.warn({ failures: line.failures }, `not connected, trying again: ${why}`)
}

export function countFailure(line: Line): void {
  line.failures = typeof line.failures === 'number' ? line.failures + 1 : 1
}

/** Full jitter: those who lost the server together come back spread out. */
export function delayMs({ clock }: AgentPorts, settings: AgentSettings, { failures }: Line): number {
  const { reconnectMinMs, reconnectMaxMs, refusedRetryMs } = settings
  if (failures === 'refused') return refusedRetryMs * (0.5 + clock.chance())
  if (failures === 0) return 0
  return clock.chance() * Math.min(reconnectMaxMs, reconnectMinMs * 2 ** (failures - 1))
}
