import { PackageFault } from './fault.ts'

/** Takes bytes off a source in the portions that its reader wants, holding no more than one chunk beyond them. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array()

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Exactly so many bytes; null when the source has ended before the first of them. */
  async take(count: number): Promise<Uint8Array | null> {
    const parts: Uint8Array[] = []
    let wanted = count
    while (wanted > 0) {
      const part = await this.#next(wanted)
      if (part === null) {
        if (wanted === count) return null
        throw truncated()
      }
      parts.push(part)
      wanted -= part.length
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  /** So many bytes as they come. */
  async *pieces(count: number): AsyncGenerator<Uint8Array, void> {
    for (let wanted = count; wanted > 0;) {
      const part = await this.#next(wanted)
      if (part === null) throw truncated()
      wanted -= part.length
      yield part
    }
  }

  /** All that is left, as it comes. */
  async *rest(): AsyncGenerator<Uint8Array, void> {
    for (let part = await this.#next(Infinity); part !== null; part = await this.#next(Infinity)) yield part
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }

  async #next(countMax: number): Promise<Uint8Array | null> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#source.next()
      if (done === true) return null
      this.#rest = value
    }
    const part = this.#rest.subarray(0, countMax)
    this.#rest = this.#rest.subarray(part.length)
    return part
  }
}

const truncated = () => new PackageFault('PACKAGE_MALFORMED', 'it ends in the middle')
