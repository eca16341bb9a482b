import fc from 'fast-check'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { shown, type PackageFault } from '#services/agent/packages/fault.ts'
import { unpackDefaults as limits } from '#services/agent/packages/limits.ts'
import { foldedName, partsOf, refuseTarget } from '#services/agent/packages/names.ts'

const parts = (name: string, forWindows = false) => {
  try {
    return partsOf(name, limits, forWindows)
  } catch (error) {
    return (error as PackageFault).code
  }
}
const target = (link: string, depth = 0, forWindows = false) => {
  try {
    refuseTarget(link, depth, limits, forWindows)
    return 'fine'
  } catch (error) {
    return (error as PackageFault).code
  }
}

describe('a name in an archive', () => {
  it.each([
    ['a', ['a']],
    ['a/b', ['a', 'b']],
    ['a/b/', ['a', 'b']],
    ['./a', ['a']],
    ['./', []],
    ['.', []],
    ['...', ['...']],
    ['..a/b..', ['..a', 'b..']],
    ['ab:c', ['ab:c']],
    ['Foo::Bar.3pm', ['Foo::Bar.3pm']],
    ['con', ['con']],
  ])('%j has the parts %j', (name, expected) => expect(parts(name)).toEqual(expected))

  it.each(['con', 'NUL.txt', 'com1', 'a.', 'a ', 'a:b', 'a|b', 'a?', 'd/aux.c'])('%j will not do on Windows', (name) =>
    expect(parts(name, true)).toBe('PACKAGE_NAME_UNSAFE'),
  )

  it('leads into the package, or is refused: whatever it is', () => {
    const piece = fc.constantFrom('..', '.', '', 'a', 'b', '...', '\\', 'C:', '/', '\0', '\u202e', ' ')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const found = parts(pieces.join('/'))
        if (typeof found === 'string') return
        const path = posix.resolve('/root', ...found)
        expect(path === '/root' || path.startsWith('/root/')).toBe(true)
      }),
    )
  })
})

describe('the target of a link', () => {
  it.each([
    ['a', 0, 'fine'],
    ['./a', 0, 'fine'],
    ['.', 0, 'fine'],
    ['a//b', 0, 'fine'],
    ['..', 1, 'fine'],
    ['../../a/b', 2, 'fine'],
    ['..', 0, 'PACKAGE_LINK_UNSAFE'],
    ['../..', 1, 'PACKAGE_LINK_UNSAFE'],
    ['.././../a', 1, 'PACKAGE_LINK_UNSAFE'],
    ['a/..', 5, 'PACKAGE_LINK_UNSAFE'],
    ['../a/../b', 5, 'PACKAGE_LINK_UNSAFE'],
    ['/', 5, 'PACKAGE_LINK_UNSAFE'],
    ['', 5, 'PACKAGE_LINK_UNSAFE'],
    ['n'.repeat(2_000), 5, 'PACKAGE_LINK_UNSAFE'],
  ])('%j of a link in %i folders: %s', (link, depth, verdict) => expect(target(link, depth)).toBe(verdict))
})

describe('names that may be one', () => {
  it.each([
    ['README', 'readme'],
    ['caf\u00e9', 'cafe\u0301'],
    ['stra\u00dfe', 'STRASSE'],
    ['\ufb01x', 'fix'],
    ['\u212a', 'k'],
    ['\u0130', 'i\u0307'],
  ])('%j and %j', (one, other) => expect(foldedName(one)).toBe(foldedName(other)))
  it.each([
    ['a', 'b'],
    ['a.txt', 'a_txt'],
    ['1', 'l'],
  ])('are not %j and %j', (one, other) => expect(foldedName(one)).not.toBe(foldedName(other)))
})

describe('a name that is shown', () => {
  it('is short and does nothing to whoever reads it', () => {
    expect(shown('a\u202e\x1b[2Jb\x85')).toBe(String.raw`"a\u202e\u001b[2Jb\u0085"`)
    expect(shown('x'.repeat(9_999)).length).toBeLessThan(300)
  })
})
