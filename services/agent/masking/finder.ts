// The idea (Aho and Corasick): all patterns make one tree, by their letters. Each place in it also knows the longest
// ending of its own path that is a path from the root, so a text is read once, letter by letter, whatever the number of
// patterns, and the place says at any time how much of the text read last may still become a match.

const none = -1
const root = 0
const units = 65_536

/** Finds many patterns in a text that comes letter by letter. Made once for all texts. */
export class Finder {
  /** From the root, by the letter. */
  readonly #first = new Int32Array(units)
  /** The places right below the root. */
  readonly #firsts: number[] = []
  readonly #letter: Int32Array
  readonly #child: Int32Array
  readonly #sibling: Int32Array
  readonly #fallback: Int32Array
  /** How long the longest pattern is that ends here; 0 where none does. */
  readonly #found: Int32Array
  /** How many of the last letters may be the beginning of a pattern that goes on. */
  readonly #open: Int32Array

  constructor(patterns: Iterable<string>) {
    const all = [...patterns]
    const size = all.reduce((sum, { length }) => sum + length, 1)
    const fresh = (value: number) => new Int32Array(size).fill(value)
    this.#letter = fresh(0)
    this.#child = fresh(none)
    this.#sibling = fresh(none)
    this.#fallback = fresh(root)
    this.#found = fresh(0)
    this.#open = fresh(0)
    let count = 1
    for (const pattern of all) count = this.#add(pattern, count)
    this.#connect()
  }

  /** Where a letter leads from a place; 0 is the root. */
  next(place: number, letter: number): number {
    for (let at = place; at !== root; at = this.#fallback[at]!) {
      const child = this.#childOf(at, letter)
      if (child !== none) return child
    }
    return this.#first[letter]!
  }

  /** How many of the last letters are a pattern, the longest; 0 when none is. */
  found(place: number): number {
    return this.#found[place]!
  }

  /** How many of the last letters may still become a pattern with what follows. */
  open(place: number): number {
    return this.#open[place]!
  }

  #add(pattern: string, next: number): number {
    let count = next
    let place = root
    for (let at = 0; at < pattern.length; at++) {
      const letter = pattern.charCodeAt(at)
      const known = place === root ? this.#first[letter]! || none : this.#childOf(place, letter)
      if (known !== none) {
        place = known
        continue
      }
      this.#letter[count] = letter
      if (place === root) this.#firsts.push((this.#first[letter] = count))
      else this.#sibling[count] = this.#child[place]!
      this.#child[place] = place === root ? none : count
      place = count
      count += 1
    }
    this.#found[place] = pattern.length
    return count
  }

  #childOf(place: number, letter: number): number {
    for (let at = this.#child[place]!; at !== none; at = this.#sibling[at]!) if (this.#letter[at] === letter) return at
    return none
  }

  /** Breadth first, since where a place falls back to lies nearer to the root. */
  #connect(): void {
    let level = this.#firsts
    for (const place of level) this.#settle(place, 1)
    for (let depth = 2; level.length > 0; depth++) {
      const deeper: number[] = []
      for (const parent of level)
        for (let place = this.#child[parent]!; place !== none; place = this.#sibling[place]!) {
          this.#fallback[place] = this.next(this.#fallback[parent]!, this.#letter[place]!)
          this.#settle(place, depth)
          deeper.push(place)
        }
      level = deeper
    }
  }

  #settle(place: number, depth: number): void {
    const behind = this.#fallback[place]!
    this.#found[place] ||= this.#found[behind]!
    this.#open[place] = this.#child[place] === none ? this.#open[behind]! : depth
  }
}
