import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMask, replacement, type Mask } from '#services/agent/masking/mask.ts'

const awkward = `p@ss 'w0rd"$&/<x>ü`
const shell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
const base64 = (text: string) => Buffer.from(text).toString('base64')
/** As programs print it, at most 76 letters on a line. */
const wrapped = (text: string) => text.replaceAll(/.{76}/g, '$&\n')

/** Ways to print a value. */
const spellings: readonly (readonly [string, (value: string) => string])[] = [
  ['as it is', (value) => value],
  ['in JSON', (value) => JSON.stringify({ value })],
  ['in a URL', (value) => `https://x/?a=${encodeURIComponent(value)}&b=1`],
  ['in a form', (value) => new URLSearchParams({ value }).toString()],
  ['in base64', (value) => base64(value)],
  ['in base64 behind one byte', (value) => base64(`:${value}`)],
  ['in base64 behind two bytes', (value) => base64(`::${value}`)],
  ['in base64 without padding', (value) => base64(value).replaceAll('=', '')],
  ['in base64 for URLs', (value) => Buffer.from(value).toString('base64url')],
  ['in base64 on several lines', (value) => wrapped(base64('x'.repeat(50) + value + 'y'.repeat(70)))],
  [
    'in base64 on several lines of Windows',
    (value) => wrapped(base64(`${'x'.repeat(53)}${value}`)).replaceAll('\n', '\r\n'),
  ],
  ['in hex', (value) => Buffer.from(value).toString('hex')],
  ['in HEX', (value) => Buffer.from(value).toString('hex').toUpperCase()],
  ['quoted for a shell', shell],
  ['in double quotes', (value) => `"${value.replaceAll(/[\\"$`]/g, String.raw`\$&`)}"`],
  ['with backslashes', (value) => value.replaceAll(/[^\w./+=:@%#~^{}!,\u0080-\uffff-]/g, String.raw`\$&`)],
]

/** What would tell of a value: its plain form, or the part of base64 and hex that is the value's alone. */
const tells = (text: string, value: string): boolean => {
  const flat = text.replaceAll(/[\r\n]/g, '')
  const forms = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), shell(value).slice(1, -1)]
  const cores = [0, 1, 2].map((before) =>
    base64('\0'.repeat(before) + value).slice(
      Math.ceil((before * 8) / 6),
      Math.floor(((before + Buffer.byteLength(value)) * 8) / 6),
    ),
  )
  const hex = Buffer.from(value).toString('hex')
  const inFlat = [...cores, ...cores.map((core) => core.replaceAll('+', '-').replaceAll('/', '_')), hex]
  return (
    forms.some((form) => text.includes(form)) ||
    text.replaceAll('\\', '').includes(value) ||
    inFlat.some((form) => flat.includes(form) || flat.includes(form.toUpperCase()))
  )
}

const cutAt = (text: string, cuts: readonly number[]) => {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length]
  return places.slice(1).map((to, at) => text.slice(places[at], to))
}

function masked(values: readonly string[] | Mask, parts: readonly string[]): string {
  const stream = ('begin' in values ? values : createMask(values)).begin()
  return parts.map((part) => stream.write(part)).join('') + stream.end()
}

describe('a mask', () => {
  it.each(spellings)('hides a value %s, cut anywhere', (_, spell) => {
    const text = `before ${spell(awkward)} after\n`
    for (let at = 0; at <= text.length; at++) {
      const shown = masked([awkward], [text.slice(0, at), text.slice(at)])
      expect(tells(shown, awkward), shown).toBe(false)
      expect(shown).toContain(replacement)
      expect(shown).toMatch(/^before [^]* after\n$/)
    }
    expect(masked([awkward], text.split(''))).toBe(masked([awkward], [text]))
  })

  it('hides every value in every spelling, however its text is cut', () => {
    const value = fc.string({ minLength: 4, maxLength: 40 }).filter((text) => text.trim().length >= 4)
    const spelt = fc.constantFrom(...spellings)
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.string(), fc.nat(3), spelt), { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (values, pieces, cuts) => {
          const text = pieces
            .map(([around, at, [, spell]]) => around + spell(values[at % values.length]!.trim()))
            .join('')
          const shown = masked(values, cutAt(text, cuts))
          for (const one of values) expect(tells(shown, one.trim())).toBe(false)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('leaves a text alone that has none of them in it, however it is cut', () => {
    const mask = createMask(['Zorro!', 'aZa0'])
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'X', '1', ' ', '\n', '\r', 'ü'), maxLength: 200 })
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 8 }), (words, cuts) => {
        expect(masked(mask, cutAt(words, cuts))).toBe(words)
      }),
      { numRuns: 500 },
    )
  })

  it('gives the same however a text is cut', () => {
    const values = ['abab', 'aaaaa', 'bbab']
    const mask = createMask(values)
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 80 })
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 8 }), (words, cuts) => {
        const shown = mask.apply(words)
        expect(masked(mask, cutAt(words, cuts))).toBe(shown)
        for (const value of values) expect(shown).not.toContain(value)
      }),
      { numRuns: 1_000 },
    )
  })

  it('hides a value of several lines line by line, also when they are indented', () => {
    const key = '-----BEGIN KEY-----\nabcdefgh\n  ijklmnop\n}\n-----END KEY-----\n'
    const shown = createMask([key]).apply(`    abcdefgh\n12: ijklmnop\n}\n${base64('abcdefgh')}`)
    expect(shown.replaceAll(/\w==?$/g, '')).toBe(`    ${replacement}\n12: ${replacement}\n}\n${replacement}`)
  })

  it('keeps back only what may become a value, and lets go of a few letters after a while', () => {
    const stream = createMask(['secret-1']).begin()
    expect(stream.write('all is well\n')).toBe('all is well\n')
    expect(stream.write('and se')).toBe('and ')
    expect(stream.release()).toBe('se')
    expect(stream.write('cret-1!')).toBe(`${replacement}!`)
    expect(stream.write('secre')).toBe('')
    expect(stream.release()).toBe('')
    expect(stream.end()).toBe('secre')
  })

  it('tells no more than the first letters of a value, whatever is let go of while it waits', () => {
    const mask = createMask(['secret-1'])
    const step = fc.oneof(fc.constantFrom('se', 'cret', '-', '1', 'x', 's', 'secret-1', '\n'), fc.constant(null))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const stream = mask.begin()
        const shown =
          steps.map((text) => (text === null ? stream.release() : stream.write(text))).join('') + stream.end()
        expect(shown).not.toContain('secret-1')
        const text = steps.join('')
        if (!text.includes('secret-1')) expect(shown).toBe(text)
      }),
      { numRuns: 1_000 },
    )
  })

  it('does not keep empty lines back for ever', () => {
    const stream = createMask(['secret-1']).begin()
    const base = base64('secret-1').slice(0, 5)
    expect(stream.write(base)).toBe('')
    expect(stream.write('\n'.repeat(10)).length).toBeGreaterThan(5)
  })

  it('passes everything on when there is nothing to hide', () => expect(masked([], ['a', 'b'])).toBe('ab'))
})
