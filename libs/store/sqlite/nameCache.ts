/** At 16 bytes each, beside the names themselves, which are mostly in memory anyway. */
const namesMax = 2 ** 20

/**
 * Remembers the names behind stream numbers. Each number has one place, shared with those that are a multiple of the
 * size away: so it is bounded, and a look-up in it costs a fraction of one in a `Map`.
 */
export class NameCache {
  #numbers = new Float64Array(1_024)
  #names: string[] = Array.from({ length: 1_024 }, () => '')

  get(no: number): string | undefined {
    const place = no & (this.#numbers.length - 1)
    return this.#numbers[place] === no ? this.#names[place] : undefined
  }

  set(no: number, name: string): void {
    if (no >= this.#numbers.length && this.#numbers.length < namesMax) this.#grow()
    const place = no & (this.#numbers.length - 1)
    this.#numbers[place] = no
    this.#names[place] = name
  }

  forget(no: number): void {
    if (this.get(no) !== undefined) this.#numbers[no & (this.#numbers.length - 1)] = 0
  }

  #grow(): void {
    const [numbers, names] = [this.#numbers, this.#names]
    this.#numbers = new Float64Array(numbers.length * 2)
    this.#names = Array.from({ length: numbers.length * 2 }, () => '')
    numbers.forEach((no, place) => no !== 0 && this.set(no, names[place] ?? ''))
  }
}
