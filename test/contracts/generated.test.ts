import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { asyncApi } from '#contracts/describe/asyncapi/document.ts'
import { contractFiles } from '#contracts/describe/files.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { complaint, differences, write } from './generatedFiles.ts'
import { newestGolden } from './goldenEvents.ts'

const generated = join(import.meta.dirname, '../../contracts/generated')
const files = () => contractFiles(packageJson.version, newestGolden)

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-contracts-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

describe('what is generated from the contracts', () => {
  it('is committed as it would be generated now', () => {
    expect(complaint('contracts/generated', differences(generated, files()))).toBeNull()
  })

  it('is the same however often it is generated', () => {
    expect([...files()]).toEqual([...files()])
  })

  it('cannot be generated without a golden event of every type, and says how to add one', () => {
    const { MachineRegistered: _, ...others } = newestGolden
    expect(() => asyncApi('1', others)).toThrow(/no golden event of type MachineRegistered\. Add one.*golden\.v1\.json/)
  })
})

describe('the check of what is committed', () => {
  const wanted = new Map<string, object>([
    ['a/one.json', { one: 1 }],
    ['two.json', { two: 2 }],
  ])

  it('finds nothing in what was just written', () => {
    const folder = temporaryFolder()
    write(folder, wanted)
    expect(differences(folder, wanted)).toEqual([])
  })

  it('finds what is missing, edited or left over, and writing puts it right', () => {
    const folder = temporaryFolder()
    write(folder, new Map([...wanted, ['a/old.json', {}]]))
    rmSync(join(folder, 'two.json'))
    writeFileSync(join(folder, 'a/one.json'), readFileSync(join(folder, 'a/one.json'), 'utf8').replace('1', '2'))
    const wrong = differences(folder, wanted)
    expect(wrong).toEqual(['a/old.json is left over', 'a/one.json is not up to date', 'two.json is missing'])
    write(folder, wanted)
    expect(differences(folder, wanted)).toEqual([])
  })

  it('says what to do', () => {
    const wrong = Array.from({ length: 12 }, (_, at) => `${at}.json is missing`)
    const lines = complaint('the folder', wrong)!.split('\n')
    expect(lines).toHaveLength(13)
    expect(lines[0]).toBe('error the folder is not what the contracts say:')
    expect(lines.slice(-2)).toEqual(['  and 2 more', 'next: npm run contracts:generate, and commit what it changes'])
  })
})
