import type { Roster } from './roster.ts'

/** Where the rosters of all services are written down, for all processes to see. */
export interface RosterTable extends AsyncDisposable {
  /** @throws when it cannot be reached within its deadline */
  read(service: string): Promise<Written>
  /** Writes the roster if nobody has written it since. @throws when nobody knows whether it is written */
  write(service: string, roster: Roster, revision: number): Promise<'written' | 'conflict'>
  /** Tells the others to look now, and is told by them. Either may be lost. */
  nudge(service: string): void
  onNudge(service: string, look: () => void): Disposable
}

export interface Written {
  readonly roster: Roster
  /** 0 when there is none yet. A number lower than one seen before says that the table has lost what it had. */
  readonly revision: number
}
