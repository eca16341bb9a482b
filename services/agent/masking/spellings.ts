import { maskedLines } from '#contracts/sensitive.ts'

export interface Spellings {
  /** Looked for as they are. */
  readonly exact: ReadonlySet<string>
  /** Looked for also where line breaks have been put in, as tools do that print base64 and hex. */
  readonly wrapped: ReadonlySet<string>
}

/** A shorter one stands in a text by chance. */
const charsMin = 4

/** Every spelling in which a value is likely to turn up in what a program prints. */
export function spellingsOf(values: Iterable<string>): Spellings {
  const exact = new Set<string>()
  const wrapped = new Set<string>()
  for (const value of values)
    for (const line of maskedLines(value)) {
      for (const spelling of [...asWritten(line), ...inShells(line), ...inUrls(line)])
        if (spelling.length >= charsMin) exact.add(spelling)
      for (const spelling of [...inBase64(line), ...inHex(line)]) if (spelling.length >= charsMin) wrapped.add(spelling)
    }
  return { exact, wrapped }
}

/** As it is, in JSON and in HTML. */
function* asWritten(line: string): Iterable<string> {
  yield line
  const json = JSON.stringify(line).slice(1, -1)
  yield json
  yield json.replaceAll('/', '\\/')
  // As Python and others write it, in ASCII alone.
  yield json.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  const html = line.replaceAll(/[&<>"]/g, (letter) => entities[letter]!)
  yield html
  yield html.replaceAll("'", '&#39;')
}

/** Shells differ in what needs a backslash: these letters do in some, or in the beginning of a word alone. */
const sometimesUnsafe = ['', '#~', ',', '#~,', '#~,+=:@%{}^!-']

/** In single and double quotes, with backslashes (`printf %q`), and in `$'...'`, as `set -x` prints what is unusual. */
function* inShells(line: string): Iterable<string> {
  yield line.replaceAll("'", `'\\''`)
  yield line.replaceAll("'", `'"'"'`)
  yield line.replaceAll(/[\\"$`]/g, String.raw`\$&`)
  yield line.replaceAll(/[\\"$`!]/g, String.raw`\$&`)
  for (const safe of sometimesUnsafe)
    yield line.replaceAll(/[^\w./\u0080-\uffff]/g, (letter) =>
      '+=:@%-#~,{}^!'.includes(letter) && !safe.includes(letter) ? letter : `\\${letter}`,
    )
  const quoted = line.replaceAll(/[\\']/g, String.raw`\$&`)
  yield quoted
  yield quoted.replaceAll(/[\u0080-\uffff]+/g, (text) =>
    [...Buffer.from(text)].map((byte) => `\\${byte.toString(8)}`).join(''),
  )
}

function* inUrls(line: string): Iterable<string> {
  // Half a pair of surrogates has no bytes in UTF-8.
  const whole = line.toWellFormed()
  const component = encodeURIComponent(whole)
  const strict = component.replaceAll(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
  const form = new URLSearchParams({ '': whole }).toString().slice(1)
  for (const spelling of [component, strict, form, strict.replaceAll('%2F', '/'), encodeURI(whole)]) {
    yield spelling
    yield spelling.replaceAll(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase())
  }
}

/**
 * In base64 a text looks in three ways, by how many bytes stand before it. Of each way that part is taken which depends
 * on the text alone, so that it is found inside of something longer, with padding and without.
 */
function* inBase64(line: string): Iterable<string> {
  const bytes = Buffer.from(line)
  for (const before of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const from = Math.ceil((before * 8) / 6)
    const to = Math.floor(((before + bytes.length) * 8) / 6)
    const own = encoded.slice(from, to)
    yield own
    yield own.replaceAll('+', '-').replaceAll('/', '_')
  }
}

function* inHex(line: string): Iterable<string> {
  const hex = Buffer.from(line).toString('hex')
  yield hex
  yield hex.toUpperCase()
}
