import { GroupAnswer } from '#contracts/providerGroup.ts'
import type { Platform } from '#libs/platform.ts'
import type { AskedGroup } from './run/world.ts'

/** How often at most a group is asked for, and how old what was heard may be before it counts for nothing. */
const askedEveryMs = 5_000
const heardFreshMs = 60_000

interface Reading {
  readonly askedAt: number
  readonly isUnderWay: boolean
  readonly heard: { readonly at: number; readonly answer: GroupAnswer } | null
  /** The deployments that wait to hear of it. */
  readonly waiting: ReadonlySet<string>
}

const nothingYet: Reading = { askedAt: -Infinity, isUnderWay: false, heard: null, waiting: new Set() }

/**
 * Who is in the groups of providers that deployments look for. Policy knows; it is asked while somebody wants to know,
 * and who waits is woken by the answer. No answer is said as that, and never as an empty group.
 */
export class Groups {
  readonly #platform: Platform
  readonly #wake: (deploymentIds: Iterable<string>) => void
  readonly #readings = new Map<string, Reading>()

  constructor(platform: Platform, wake: (deploymentIds: Iterable<string>) => void) {
    this.#platform = platform
    this.#wake = wake
  }

  group = (asked: AskedGroup): GroupAnswer | null => {
    const key = `${asked.environmentId} ${asked.group}`
    const reading = this.#readings.get(key) ?? nothingYet
    const nowMs = this.#platform.clock.steadyMs()
    const waiting = new Set(reading.waiting).add(asked.deploymentId)
    const isDue = !reading.isUnderWay && nowMs >= reading.askedAt + askedEveryMs
    this.#readings.set(key, isDue ? { ...reading, waiting, askedAt: nowMs, isUnderWay: true } : { ...reading, waiting })
    if (isDue) void this.#ask(key, asked)
    const { heard } = reading
    return heard !== null && nowMs < heard.at + heardFreshMs ? heard.answer : null
  }

  async #ask(key: string, { environmentId, group, since, deploymentId }: AskedGroup): Promise<void> {
    const { clock } = this.#platform
    const commandId = clock.id()
    const cause = { actor: 'service:deployment', commandId, correlationId: deploymentId, causationId: null }
    const command = { type: 'ListGroup', data: { environmentId, group, since } }
    const answer = await this.#heard(() => this.#platform.ask('policy', command, cause))
    const { askedAt, waiting } = this.#readings.get(key) ?? nothingYet
    this.#readings.set(key, { askedAt, isUnderWay: false, waiting: new Set(), heard: { at: clock.steadyMs(), answer } })
    this.#wake(waiting)
  }

  async #heard(ask: () => ReturnType<Platform['ask']>): Promise<GroupAnswer> {
    try {
      const answer = await ask()
      if ('refused' in answer) return silent(answer.detail)
      return GroupAnswer.parse(answer.result['group'])
    } catch (error) {
      this.#platform.log.warn({ error }, 'who is in a group of a provider could not be asked; it will be again')
      return silent('policy gives no answer')
    }
  }
}

const silent = (silence: string): GroupAnswer => ({ provider: 'unknown', answeredAt: null, silence, members: [] })
