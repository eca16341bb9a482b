import type { AgentCheck, AgentFrame, EnrollReply, EnrollRequest, PackageOrder, WorkOrder } from '#contracts/agent.ts'
import type { TaskResult } from '#contracts/taskResult.ts'
import type { MachineFacts } from '#contracts/machine.ts'
import type { Outputs } from '#contracts/process.ts'
import type { Clock } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import type { MachineKey } from '#libs/machineKey.ts'

/** What the agent needs of the world. The simulation passes other implementations of the same. */
export interface AgentPorts {
  readonly clock: Clock
  readonly transport: AgentTransport
  readonly enroller: Enroller
  readonly files: AgentFiles
  readonly runner: Runner
  readonly checkRunner: CheckRunner
  readonly packages: Packages
  readonly machine: ThisMachine
  readonly log: Log
}

export interface AgentTransport {
  /** Opens a socket to the server. Throws when the server cannot be reached. */
  connect(): Promise<AgentSocket>
}

export interface AgentSocket {
  send(frame: AgentFrame): void
  /** Frames as they came, not yet looked at. Ends when the socket is closed, by whichever side. */
  readonly frames: AsyncIterable<unknown>
  /** Resolves when the other end has shown that it is there. */
  probe(): Promise<void>
  close(): void
}

export interface Enroller {
  /** Throws when the server cannot be reached or gives no answer that can be read. */
  enroll(request: EnrollRequest): Promise<EnrollReply | { readonly refused: string; readonly detail: string }>
}

/** The agent's data folder. What `replace` and a durable `append` have resolved is on disk. */
export interface AgentFiles {
  /** The whole text of a file, or null when there is none. */
  read(name: string): Promise<string | null>
  /** Puts a text in the place of a file, whole or not at all. */
  replace(name: string, text: string): Promise<void>
  /** Appends in the order of the calls. */
  append(name: string, text: string, options: { readonly durable: boolean }): Promise<void>
  remove(name: string): Promise<void>
}

export type FailureReason = Extract<TaskResult, { outcome: 'failed' }>['reason']
/** Why a running task is ended before its time. */
export type StopReason = Extract<FailureReason, 'cancelled' | 'interrupted'>

export type RunOutcome =
  | { readonly outcome: 'succeeded'; readonly outputs: Outputs }
  | {
      readonly outcome: 'failed'
      readonly reason: FailureReason
      readonly exitCode: number | null
      readonly detail: string
      /** What the script had said by then: what it made may still have to be undone. */
      readonly outputs?: Outputs
    }

/** How a script ended. */
export interface ScriptEnd {
  /** null: it ended by itself, and well. */
  readonly reason: FailureReason | null
  readonly exitCode: number | null
  readonly detail: string
}

export interface RunOptions {
  /** Where a script runs; left out: in a folder of its own. */
  readonly cwd?: string
  /** Aborted with a `StopReason`. */
  readonly signal: AbortSignal
  /**
   * Takes what the script prints; false when no more of it is wanted.
   * @param source which of its streams it comes from
   */
  output(text: string, source?: 'out' | 'err'): boolean
}

export interface Runner {
  /** Runs a script to its end, or ends it. Every mishap is an outcome; it never rejects. */
  run(order: WorkOrder, options: RunOptions): Promise<RunOutcome>
  /** Ends what a run of an earlier agent process may have left behind. */
  clearAway(taskId: string): Promise<void>
}

/** Checks have no place in the journal: one that was cut short is simply made again when its time comes. */
export interface CheckRunner {
  /** Runs a check once, to its end or to the end of its time. Every mishap is an end; it never rejects. */
  run(check: AgentCheck, options: RunOptions): Promise<ScriptEnd>
  /** Ends what checks of an earlier agent process may have left behind. */
  clearAway(): Promise<void>
}

export interface InstallOptions {
  /** Proves to the server who asks for the package. */
  readonly key: MachineKey
  /** Aborted with a `StopReason`, which is then thrown. */
  readonly signal: AbortSignal
  /** Takes what there is to tell of it, in lines. */
  say(line: string): void
}

/** A package that is unpacked on this machine, and stays at least until this is disposed of. */
export interface ReadyPackage extends Disposable {
  readonly folder: string
  /** Where the version is that was in use before; null when there is none. */
  readonly previous: string | null
  /** Makes it the current version of its package. Until then it is on trial: another try unpacks it anew. */
  activate(): Promise<void>
}

export interface Packages {
  /**
   * Has a package ready on this machine. What is in use stays in use, and what is here already is neither downloaded nor
   * unpacked again.
   * @throws an error whose message begins with a code; nothing has changed then
   */
  prepare(order: PackageOrder, options: InstallOptions): Promise<ReadyPackage>
}

export interface ThisMachine {
  /** Tells one installation of an operating system from another; null when there is nothing to tell it by. */
  fingerprint(): Promise<string | null>
  facts(): MachineFacts
}
