import { describe, expect, it } from 'vitest'
import type { Process } from '#contracts/process.ts'
import { TemplateContent } from '#contracts/template.ts'
import { WrittenProcess, writtenOf } from '#contracts/writtenProcess.ts'
import type { TemplateState } from '#services/deployment/template/decider.ts'
import { expandProcess, templatesIn } from '#services/deployment/template/expansion.ts'

const content = (script: string) =>
  TemplateContent.parse({
    parameters: { a: { type: 'text', required: true } },
    step: { kind: 'script', script, environment: { A: '((a))' } },
  })
const state = (...scripts: readonly string[]): TemplateState => ({
  versions: new Map(scripts.map((script, at) => [at + 1, content(script)])),
  newest: scripts.length,
  deleted: false,
})
const library = new Map([
  ['greet', state('one', 'two')],
  ['shop.own', state('own')],
  ['gone', { ...state('gone'), deleted: true }],
  ['never', state()],
])
const use = (template: string, more: object = {}) => ({
  id: 'x',
  kind: 'template',
  template,
  with: { a: 'b' },
  ...more,
})
const written = (...steps: readonly object[]) => WrittenProcess.parse({ steps })
const nothing: Process = { steps: [] }
const expand = (process: WrittenProcess, before = nothing) =>
  expandProcess(process, { projectId: 'shop', library, before })
const processOf = (process: WrittenProcess, before = nothing): Process => {
  const result = expand(process, before)
  if ('mistakes' in result) throw new Error(result.mistakes.join())
  return result
}
const mistakesIn = (process: WrittenProcess, before = nothing) => {
  const result = expand(process, before)
  return 'mistakes' in result ? result.mistakes : []
}

describe('a process that names templates', () => {
  it('is kept as steps that say themselves what they do, and where they came from', () => {
    const process = processOf(
      written(use('greet'), use('greet', { id: 'y', version: 1 }), use('shop.own', { id: 'z' })),
    )
    expect(process.steps).toMatchObject([
      { kind: 'script', script: 'two', environment: { A: 'b' }, template: { name: 'greet', version: 2, latest: true } },
      { id: 'y', script: 'one', template: { name: 'greet', version: 1, with: { a: 'b' } } },
      { id: 'z', script: 'own' },
    ])
    expect(process.steps[1]!.template).not.toHaveProperty('latest')
  })
  it('can be had back as it was written', () => {
    const process = written({ id: 'p', kind: 'approval', message: 'Go?' }, use('greet', { condition: 'always' }))
    expect(writtenOf(processOf(process))).toEqual(process)
  })
  it('is told every mistake, with the step and what of it is wrong', () => {
    const wrong = written(
      ...[use('nope'), use('gone', { id: 'g' }), use('never', { id: 'n' }), use('greet', { id: 'v', version: 9 })],
      ...[use('other.own', { id: 'o' }), use('greet', { id: 'w', with: {} })],
    )
    expect(mistakesIn(wrong)).toEqual([
      'step x: template: there is no template nope',
      'step g: template: there is no template gone',
      'step n: template: there is no template never',
      'step v: version: there is no version 9 of greet; the newest is 2',
      'step o: template: other.own is of project other alone',
      'step w: with.a: is required',
    ])
  })
  it('may be sent back as it is shown, and not as if a template had said something else', () => {
    const process = processOf(written(use('greet')))
    expect(processOf(WrittenProcess.parse(process), process)).toEqual(process)
    const forged = { ...process, steps: process.steps.map((step) => ({ ...step, script: 'rm -rf /' })) }
    expect(mistakesIn(WrittenProcess.parse(forged), process)).toEqual([
      expect.stringMatching(/^step x: template: .*not what/),
    ])
  })
  it('keeps what a template gave that was deleted since', () => {
    const before = processOf(written(use('greet', { version: 1 })))
    const gone = new Map([['greet', { ...library.get('greet')!, deleted: true }]])
    const again = expandProcess(written(use('greet', { version: 1 }), use('greet', { id: 'new', version: 1 })), {
      ...{ projectId: 'shop', library: gone, before },
    })
    expect(again).toEqual({ mistakes: ['step new: template: there is no template greet'] })
    expect(expandProcess(written(use('greet', { version: 1 })), { projectId: 'shop', library: gone, before })).toEqual(
      before,
    )
  })
  it('says which templates it needs, each once', () => {
    const process = processOf(written(use('greet')))
    expect(templatesIn(written(use('greet'), use('shop.own', { id: 'y' }), use('greet', { id: 'z' })))).toEqual([
      ...['greet', 'shop.own'],
    ])
    expect(templatesIn(WrittenProcess.parse(process))).toEqual(['greet'])
  })
})
