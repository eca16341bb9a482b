/** What an agent is told by the one who starts it, and its limits. */
export interface AgentSettings {
  /** Reads the join token anew each time, since it may lie in a file that is changed; null when there is none. */
  readonly token: () => Promise<string | null>
  readonly name: string
  /** The roles wanted; empty: all that the join token allows. */
  readonly roles: readonly string[]
  readonly attributes: Readonly<Record<string, string>>
  /** Tasks that run side by side; the server hands out one at a time. */
  readonly tasksMax: number
  /** Checks that run side by side, beside the tasks. */
  readonly checksMax: number
  /** Tasks that may wait for their turn. */
  readonly waitingMax: number
  readonly reconnectMinMs: number
  readonly reconnectMaxMs: number
  /** How long to wait after a refusal that trying again soon cannot change. */
  readonly refusedRetryMs: number
  /** How long the server may take from the opened socket to its welcome. */
  readonly welcomeWithinMs: number
  /** How long the server may leave a probe unanswered before the connection counts as dead. */
  readonly serverSilentMs: number
  /** When the agent is asked to stop: how long running tasks may go on. */
  readonly stopGraceMs: number
  /** And how long it then tries to deliver their results. */
  readonly deliverMs: number
  readonly logFlushMs: number
  readonly logChunkCharsMax: number
  /** Chunks of one task's log that may be under way without an acknowledgement. */
  readonly logsInFlightMax: number
  readonly journal: JournalLimits
}

export interface JournalLimits {
  /** Tasks whose result is kept after the server has it. */
  readonly resultsMax: number
  /** Tasks that are remembered at all, so that none of them runs a second time. */
  readonly tasksMax: number
}

export const defaultLimits = {
  tasksMax: 4,
  checksMax: 4,
  waitingMax: 16,
  reconnectMinMs: 1_000,
  reconnectMaxMs: 30_000,
  refusedRetryMs: 60_000,
  welcomeWithinMs: 20_000,
  serverSilentMs: 30_000,
  stopGraceMs: 5_000,
  deliverMs: 3_000,
  logFlushMs: 200,
  logChunkCharsMax: 16 * 1024,
  logsInFlightMax: 8,
  journal: { resultsMax: 50, tasksMax: 10_000 },
} as const satisfies Partial<AgentSettings>
