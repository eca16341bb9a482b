/** How many there were, and the first of them: a list that cannot grow without end. */
export class Tally<Item> {
  readonly #max: number
  #items: Item[] = []
  #count = 0

  constructor(max: number) {
    this.#max = max
  }

  add(item: Item): void {
    this.#count += 1
    if (this.#items.length < this.#max) this.#items.push(item)
  }

  /** It was no such thing after all. */
  takeBack(item: Item): void {
    this.#count -= 1
    this.#items = this.#items.filter((one) => one !== item)
  }

  list<Told>(tell: (item: Item) => Told): { readonly count: number; readonly items: readonly Told[] } {
    return { count: this.#count, items: this.#items.map(tell) }
  }
}
