import { Refused } from '#libs/problem.ts'
import type { Platform } from '#libs/platform.ts'
import { within } from '../within.ts'
import { Model, type BuildNeeds } from './model.ts'
import { asOfDefaults, type AsOfSettings } from './settings.ts'

const againMs = 2_000

/** Keeps a few moments of the past at hand, and looks up others, no more at once than the settings allow. */
export class Past implements AsyncDisposable {
  readonly #needs: BuildNeeds
  readonly #ended = new AbortController()
  /** By position, the one that was asked for longest ago first. */
  readonly #models = new Map<number, Model>()
  readonly #builds = new Map<number, Promise<Model>>()
  /** From here on everything is known to be too far. */
  #tooFar = Number.POSITIVE_INFINITY

  constructor({ store, clock }: Platform, settings: Partial<AsOfSettings> = {}) {
    this.#needs = { store, clock, settings: { ...asOfDefaults, ...settings } }
  }

  /**
   * The fleet behind a position. Whoever gets it reads what it wants before it waits for anything else: it is closed
   * once others have taken its place.
   * @throws Refused ASOF_BUSY or ASOF_TOO_FAR
   */
  async at(position: number): Promise<Model> {
    const { clock, settings } = this.#needs
    const kept = this.#models.get(position)
    if (kept !== undefined) return this.#keep(kept)
    const build = this.#builds.get(position) ?? this.#begin(position)
    const model = await within(clock, settings.waitMs, build)
    if (model !== null) return model
    const detail = `It takes longer than ${settings.waitMs} ms to look that moment up. Ask again: it goes on meanwhile.`
    throw new Refused('ASOF_BUSY', detail, { retryAfterMs: againMs })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort()
    await Promise.allSettled(this.#builds.values())
    for (const model of this.#models.values()) model.close()
    this.#models.clear()
  }

  #begin(position: number): Promise<Model> {
    const { buildsMax } = this.#needs.settings
    if (position >= this.#tooFar)
      throw new Refused('ASOF_TOO_FAR', 'A moment before it was too far already. Ask for an earlier one.')
    if (this.#builds.size >= buildsMax) {
      const detail = `${buildsMax} moments are being looked up already. Ask again, or ask for one of those.`
      throw new Refused('ASOF_BUSY', detail, { retryAfterMs: againMs })
    }
    const build = this.#build(position).finally(() => this.#builds.delete(position))
    this.#builds.set(position, build)
    return build
  }

  async #build(position: number): Promise<Model> {
    try {
      return this.#keep(await Model.build(position, this.#needs, this.#ended.signal))
    } catch (error) {
      if (error instanceof Refused && error.refused === 'ASOF_TOO_FAR') this.#tooFar = Math.min(this.#tooFar, position)
      throw error
    }
  }

  /** Makes it the one that was asked for last, and room for it. */
  #keep(model: Model): Model {
    const { clock, settings } = this.#needs
    this.#models.delete(model.position)
    this.#models.set(model.position, model)
    let bytes = [...this.#models.values()].reduce((sum, one) => sum + one.bytes, 0)
    for (const [position, oldest] of this.#models) {
      if (this.#models.size <= settings.modelsMax && bytes <= settings.bytesMax) break
      if (oldest === model) break
      this.#models.delete(position)
      bytes -= oldest.bytes
      // Somebody may just have been given it, and reads before this comes.
      clock.timer(0, () => oldest.close())
    }
    return model
  }
}
