import type { Clock, Timer } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import type { EventStore } from '#libs/store/store.ts'
import { Attendance } from './attendance.ts'
import { Duties } from './duties.ts'
import type { Membership, Take } from './leases.ts'
import { shareOf, signed, withoutMember, type Roster } from './roster.ts'
import type { RosterTable } from './table.ts'

const defaults = { lookEveryMs: 1_000, ttlMs: 5_000, racesMax: 10 }

export interface MemberOptions {
  readonly service: string
  readonly partitions: number
  readonly take: Take
  /** Tells this process from all others, and from its own earlier lives. */
  readonly self: string
  readonly table: RosterTable
  readonly store: EventStore
  readonly clock: Clock
  readonly log: Log
  /** How often a sign of life is given and those of others are looked for. */
  readonly lookEveryMs?: number
  /** After how long without a sign another process counts as gone. */
  readonly ttlMs?: number
  /** How often a roster that others write at the same moment is tried in one look. */
  readonly racesMax?: number
}

/**
 * One process's part in the work of a service: signs the roster, takes what nobody does, gives up what others wait for.
 * While the roster cannot be reached it goes on with what it has, for as long as the store's fences say that nobody
 * else has come.
 */
export class Member implements Membership {
  readonly #options: Required<MemberOptions>
  readonly #attendance: Attendance
  readonly #duties: Duties
  readonly #nudges: Disposable
  readonly #settled = Promise.withResolvers<void>()
  #timer: Timer | undefined
  #looking: Promise<void> | null = null
  #lookAgain = false
  #revision = 0
  #isAway = false
  #stopped = false

  constructor(options: MemberOptions) {
    this.#options = { ...defaults, ...options }
    const { clock, table, service } = this.#options
    this.#attendance = new Attendance(clock, this.#options)
    this.#duties = new Duties(this.#options)
    this.#nudges = table.onNudge(service, () => this.look())
    this.look()
  }

  /** Resolves once this process does its share, or knows that others do. */
  async settled(): Promise<void> {
    await this.#settled.promise
    await this.#duties.started()
  }

  held(): readonly number[] {
    return this.#duties.held()
  }

  get failure(): Promise<unknown> {
    return this.#duties.failure
  }

  /** Looks at the roster now, and again after `lookEveryMs`. */
  look(): void {
    if (this.#stopped) return
    if (this.#looking !== null) return void (this.#lookAgain = true)
    this.#timer?.cancel()
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = null
      if (this.#stopped) return
      this.#timer = this.#options.clock.timer(this.#lookAgain ? 0 : this.#options.lookEveryMs, () => this.look())
      this.#lookAgain = false
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#nudges[Symbol.dispose]()
    await this.#looking
    await this.#duties.giveUpAll()
    await this.#leave()
    this.#settled.resolve()
  }

  async #lookOnce(): Promise<void> {
    const { service, log, racesMax } = this.#options
    try {
      for (let races = 0; races < racesMax; races++) if (await this.#sign()) break
      if (this.#isAway) log.info({ service }, 'the roster of a service can be read again')
      this.#isAway = false
      this.#settled.resolve()
    } catch (error) {
      if (!this.#isAway) log.warn({ service, error }, 'the roster of a service is away; what is done here goes on')
      this.#isAway = true
      await this.#duties.abandonWhatOthersHave()
    }
  }

  /** False when another process has written the roster in the meantime. */
  async #sign(): Promise<boolean> {
    const { service, partitions, self, table } = this.#options
    const { roster, revision } = await table.read(service)
    this.#attendance.read(roster)
    const gone = this.#attendance.gone()
    const alive = new Set(
      [...Object.keys(roster.members), self].filter((member) => member === self || !gone.has(member)),
    )
    await this.#duties.abandon((partition) => isOthers(roster, partition, self, alive))

    const before = signed(roster, self, this.#duties.held(), gone)
    const share = shareOf(before, partitions, self, alive)
    await this.#duties.giveUp(share.giveUp)
    // A roster that has forgotten everything is first signed by those who hold something.
    const take = revision < this.#revision ? [] : share.take
    const next = signed(roster, self, [...this.#duties.held(), ...take], gone)
    if ((await table.write(service, next, revision)) === 'conflict') return false
    this.#revision = revision
    this.#duties.take(take)
    if (share.giveUp.length > 0) table.nudge(service)
    return true
  }

  async #leave(): Promise<void> {
    const { service, self, table, log, racesMax } = this.#options
    try {
      for (let races = 0; races < racesMax; races++) {
        const { roster, revision } = await table.read(service)
        if ((await table.write(service, withoutMember(roster, self), revision)) === 'written') break
      }
      table.nudge(service)
    } catch (error) {
      log.warn(
        { service, error },
        'the roster of a service could not be left; others wait until this process counts as gone',
      )
    }
  }
}

const isOthers = ({ holders }: Roster, partition: number, self: string, alive: ReadonlySet<string>): boolean => {
  const holder = holders[partition]
  return holder !== undefined && holder !== self && alive.has(holder)
}
