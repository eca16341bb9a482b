/** What the number of a finished `remuda` means. Scripts rely on it: add, never change. */
export const exits = {
  ok: 0,
  fault: 1,
  refused: 2,
  notFound: 3,
  deploymentFailed: 4,
  unreachable: 69,
  credential: 77,
  configuration: 78,
  timedOut: 124,
  interrupted: 130,
  terminated: 143,
} as const
export type Exit = (typeof exits)[keyof typeof exits]

/** An end that is not a success, with all that a person or a script needs to know of it. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: string
  readonly exit: Exit
  readonly next: string | null

  /**
   * @param code SCREAMING_SNAKE, the same for the same mistake for ever
   * @param what one sentence that says what is wrong
   * @param next what to do about it, as a command wherever there is one
   */
  constructor(exit: Exit, code: string, what: string, next: string | null = null) {
    super(what)
    this.exit = exit
    this.code = code
    this.next = next
  }
}

/** A mistake in what was typed. */
export const usage = (what: string, next: string | null = null): CliError =>
  new CliError(exits.refused, 'USAGE', what, next)

/** A person pressed Ctrl-C, or the process was asked to end. There is nothing to say about it. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly exit: Exit

  constructor(signal: unknown) {
    super('interrupted')
    this.exit = signal === 'SIGTERM' ? exits.terminated : exits.interrupted
  }
}
