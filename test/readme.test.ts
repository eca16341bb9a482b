import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { refusals } from '#contracts/refusals.ts'
import { Step } from '#contracts/process.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>
}

describe('the README is true', () => {
  it('lists every refusal as the table has it, and no other', () => {
    const listed = [...readme.matchAll(/^\| `([A-Z_]+)` +\| (\d+) +\| (.+?) +\|$/gm)].map(
      ([, code, status, sentence]) => ({
        code,
        status: Number(status),
        sentence,
      }),
    )
    expect(listed).toEqual(Object.entries(refusals).map(([code, refusal]) => ({ code, ...refusal })))
  })

  it('lists every kind of step', () => {
    const kinds = Step.options.map(({ shape }) => shape.kind.value)
    const listed = [...readme.matchAll(/^\| `([a-z-]+)` +\| /gm)].map(([, kind]) => kind!)
    expect(listed.toSorted()).toEqual(kinds.toSorted())
  })

  it('names scripts and files that are there', () => {
    const scripts = [...readme.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, script]) => script!)
    for (const script of scripts) expect(packageJson.scripts, script).toHaveProperty([script])
    const files = [...readme.matchAll(/`((?:services|contracts|libs|test)\/[\w/.]+\.ts)`/g)].map(([, file]) => file!)
    for (const file of files) expect(() => readFileSync(new URL(`../${file}`, import.meta.url)), file).not.toThrow()
  })
})
