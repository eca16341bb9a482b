/** What a fleet has been through, counted as it happens. */
export class Tally {
  /** Machines that were enrolled, and connections that are open now. */
  joined = 0
  connected = 0
  connections = 0
  died = 0
  returned = 0
  /** Scripts by how they ended; `dead` are those whose machine died under them. */
  readonly scripts = { started: 0, running: 0, succeeded: 0, failed: 0, stopped: 0, dead: 0 }
  /** Results and pieces of logs that the server has said it stored. */
  readonly stored = { results: 0, logChunks: 0 }
  logLines = 0
  /** What machines could not do, by code, and how often. */
  readonly troubles = new Map<string, number>()

  trouble(code: string): void {
    this.troubles.set(code, (this.troubles.get(code) ?? 0) + 1)
  }
}
