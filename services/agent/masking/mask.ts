import { Finder } from './finder.ts'
import { spellingsOf } from './spellings.ts'

export const replacement = '******'
/** So little of the beginning of a value tells nothing, and may be shown before it is known how it goes on. */
const toldCharsMax = 3

const lineFeed = 10
const carriageReturn = 13

/** Hides sensitive values in a text that comes in pieces, wherever it is cut. */
export interface Masking {
  /** What of the text is known to be harmless; the rest is kept back until it is known how it goes on. */
  write(text: string): string
  /** Lets go of a few letters that have been kept back for a while, so that a prompt is seen while it waits. */
  release(): string
  /** Lets go of everything. */
  end(): string
}

export interface Mask {
  /** One for each stream, since what comes in between from another one does not belong to the text. */
  begin(): Masking
  /** Hides values in a text that is whole. */
  apply(text: string): string
}

const passing: Masking = { write: (text) => text, release: () => '', end: () => '' }
const nothingToHide: Mask = { begin: () => passing, apply: (text) => text }

/**
 * Hides values in all spellings in which they are likely to be printed: as they are, in JSON, URLs, HTML, base64 and hex,
 * quoted for a shell, and each line by itself. It guards against mistakes and not against a script that wants to tell.
 */
export function createMask(values: Iterable<string>): Mask {
  const { exact, wrapped } = spellingsOf(values)
  if (exact.size === 0) return nothingToHide
  const finders = { exact: new Finder(exact), wrapped: new Finder(wrapped) }
  return {
    begin: () => new Stream(finders),
    apply(text) {
      const stream = new Stream(finders)
      return stream.write(text) + stream.end()
    },
  }
}

/** Positions count the letters of the whole stream. */
interface Span {
  readonly from: number
  readonly to: number
}

class Stream implements Masking {
  readonly #exact: Finder
  readonly #wrapped: Finder
  #exactAt = 0
  #wrappedAt = 0
  #lineBreaks = 0
  /** The text that was not given on yet, and the position at which it begins. */
  #kept = ''
  #from = 0
  /** Where the letters of the kept text are that are no line breaks. */
  #letters: number[] = []
  /** What is to be hidden and not yet given on, in order and apart from each other. */
  #hidden: Span[] = []
  /** Up to where a replacement has been given on already. */
  #replacedTo = 0

  constructor({ exact, wrapped }: { readonly exact: Finder; readonly wrapped: Finder }) {
    this.#exact = exact
    this.#wrapped = wrapped
  }

  write(text: string): string {
    for (let at = 0; at < text.length; at++) this.#read(text.charCodeAt(at), this.#from + this.#kept.length + at)
    this.#kept += text
    return this.#giveTo(this.#safe())
  }

  release(): string {
    const open = Math.max(this.#exact.open(this.#exactAt), this.#wrapped.open(this.#wrappedAt))
    return open <= toldCharsMax ? this.end() : ''
  }

  end(): string {
    return this.#giveTo(this.#from + this.#kept.length)
  }

  #read(letter: number, position: number): void {
    this.#exactAt = this.#exact.next(this.#exactAt, letter)
    const length = this.#exact.found(this.#exactAt)
    if (length > 0) this.#hide(position + 1 - length, position + 1)
    if (letter === carriageReturn) return
    this.#lineBreaks = letter === lineFeed ? this.#lineBreaks + 1 : 0
    // Nothing goes on behind an empty line, so that line breaks without end are not kept back without end.
    if (this.#lineBreaks > 1) this.#wrappedAt = 0
    if (letter === lineFeed) return
    this.#wrappedAt = this.#wrapped.next(this.#wrappedAt, letter)
    this.#letters.push(position)
    const letters = this.#wrapped.found(this.#wrappedAt)
    if (letters > 0) this.#hide(this.#letters.at(-letters) ?? this.#from, position + 1)
  }

  #hide(from: number, to: number): void {
    let start = from
    for (let last = this.#hidden.at(-1); last !== undefined && last.to >= start; last = this.#hidden.at(-1)) {
      start = Math.min(start, last.from)
      this.#hidden.pop()
    }
    this.#hidden.push({ from: start, to })
  }

  /** Up to where nothing can become part of a match any more. */
  #safe(): number {
    const open = this.#wrapped.open(this.#wrappedAt)
    const end = this.#from + this.#kept.length
    const wrapped = open === 0 ? end : (this.#letters.at(-open) ?? this.#from)
    return Math.max(this.#from, Math.min(wrapped, end - this.#exact.open(this.#exactAt)))
  }

  #giveTo(to: number): string {
    let text = ''
    let at = this.#from
    while (this.#hidden[0] !== undefined && this.#hidden[0].from < to) {
      const span = this.#hidden[0]
      text += this.#slice(at, span.from)
      // What goes on from a replacement that was given on already is part of it.
      if (span.from > this.#replacedTo || this.#replacedTo === 0) text += replacement
      this.#replacedTo = span.to
      at = Math.min(span.to, to)
      if (span.to > to) break
      this.#hidden.shift()
    }
    text += this.#slice(at, to)
    this.#kept = this.#kept.slice(to - this.#from)
    this.#from = to
    if (this.#letters.length > 0) this.#letters = this.#letters.filter((position) => position >= to)
    return text
  }

  #slice(from: number, to: number): string {
    return from < to ? this.#kept.slice(from - this.#from, to - this.#from) : ''
  }
}
