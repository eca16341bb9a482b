import fc from 'fast-check'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Outputs, outputCharsMax, outputsMax } from '#contracts/process.ts'
import { outputsCharsMax, parseOutputs, readOutputs } from '#services/agent/outputs.ts'

const outputs = (text: string) => {
  const parsed = parseOutputs(text)
  return 'outputs' in parsed ? parsed.outputs : parsed.problem
}

describe('output variables', () => {
  it('are lines and blocks; the later value of a name wins', () => {
    expect(outputs('')).toEqual({})
    expect(outputs('a=1\n\nb=x=y\na=2\n')).toEqual({ a: '2', b: 'x=y' })
    expect(outputs('text<<END\none\n\ntwo=2\nEND\nz=\n')).toEqual({ text: 'one\n\ntwo=2', z: '' })
    expect(outputs('empty<<END\nEND')).toEqual({ empty: '' })
    expect(outputs('a=1\r\nb=2\r\n')).toEqual({ a: '1', b: '2' })
    expect(outputs('less=a<<b')).toEqual({ less: 'a<<b' })
  })

  it.each([
    ['no variable', 'hello', 'line 1'],
    ['a name that is none', 'a=1\n1b=2', 'line 2'],
    ['a name that means something in JavaScript', '__proto__=1', 'line 1'],
    ['a block without an end', 'a<<END\nx', 'no line END'],
    ['a value that is too long', `a=${'x'.repeat(outputCharsMax + 1)}`, `${outputCharsMax} characters`],
    ['too many variables', Array.from({ length: outputsMax + 1 }, (_, at) => `v${at}=1`).join('\n'), 'variables'],
    ['too much together', Array.from({ length: 20 }, (_, at) => `v${at}=${'x'.repeat(16_000)}`).join('\n'), 'together'],
  ])('are refused with %s', (_, text, complaint) => {
    expect(outputs(text)).toContain(complaint)
  })

  it('are what the contract takes, whatever a script writes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'B', '_', '=', '<', '\n', '\r', ' ', '1', 'é', '\u0000') }),
        (text) => {
          const parsed = parseOutputs(text)
          if (!('outputs' in parsed)) return
          expect(Outputs.parse(parsed.outputs)).toEqual(parsed.outputs)
          expect(JSON.stringify(parsed.outputs).length).toBeLessThanOrEqual(outputsCharsMax)
        },
      ),
    )
  })

  it('are read from a file that is still one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'remuda-outputs-'))
    const at = (name: string) => join(folder, name)
    await writeFile(at('good'), 'a=1\n')
    await writeFile(at('large'), Buffer.alloc(1024 * 1024 + 1, 'x'))
    await symlink('/etc/passwd', at('link'))
    expect(await readOutputs(at('good'))).toEqual({ outputs: { a: '1' } })
    expect(await readOutputs(at('missing'))).toEqual({ outputs: {} })
    expect(await readOutputs(at('large'))).toMatchObject({ problem: expect.stringContaining('bytes') })
    expect(await readOutputs(at('link'))).toMatchObject({ problem: expect.stringContaining('cannot be read') })
    expect(await readOutputs(folder)).toMatchObject({ problem: expect.stringContaining('no longer a file') })
    await rm(folder, { recursive: true })
  })
})
