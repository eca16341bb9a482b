import { describe, expect, it } from 'vitest'
import { TemplateContent, type TemplateCommand, type TemplateEvent } from '#contracts/template.ts'
import { isRefusal, replay } from '#libs/decider.ts'
import { templates } from '#services/deployment/template/decider.ts'

const content = (script: string, more: object = {}) =>
  TemplateContent.parse({ step: { kind: 'script', script, ...more } })
const save = (script: string, more: object = {}): TemplateCommand => ({
  type: 'SaveTemplate',
  data: { name: 't', content: content(script), version: null, expectedVersion: null, ...more },
})
const remove: TemplateCommand = { type: 'DeleteTemplate', data: { name: 't', reason: 'old' } }

/** What each command in turn is answered: the versions saved, `deleted`, or the refusal. */
function told(...commands: readonly TemplateCommand[]): readonly string[] {
  const events: TemplateEvent[] = []
  return commands.map((command) => {
    const decision = templates.decide(command, replay(templates, events))
    if (isRefusal(decision)) return decision.refused
    events.push(...decision)
    return (
      decision.map((one) => (one.type === 'TemplateSaved' ? `v${one.data.version}` : 'deleted')).join() || 'nothing'
    )
  })
}

describe('a template in the library', () => {
  it.each<[string, readonly TemplateCommand[], readonly string[]]>([
    ['has a version for each thing that it said', [save('a'), save('b'), save('a')], ['v1', 'v2', 'v3']],
    ['is not saved again as it is', [save('a'), save('a'), save('b'), save('b')], ['v1', 'nothing', 'v2', 'nothing']],
    ['keeps the version that it had elsewhere', [save('a', { version: 7 }), save('b')], ['v7', 'v8']],
    [
      'says the same under a version for ever',
      [save('a', { version: 7 }), save('a', { version: 7 }), save('b', { version: 7 })],
      ['v7', 'nothing', 'TEMPLATE_VERSION_TAKEN'],
    ],
    [
      'takes no version before those it has',
      [save('a', { version: 7 }), save('b', { version: 6 })],
      ['v7', 'TEMPLATE_VERSION_TAKEN'],
    ],
    [
      'is saved from the version that was seen',
      [save('a', { expectedVersion: 0 }), save('b', { expectedVersion: 0 }), save('b', { expectedVersion: 1 })],
      ['v1', 'VERSION_CHANGED', 'v2'],
    ],
    ['leaves once', [save('a'), remove, remove], ['v1', 'deleted', 'nothing']],
    ['cannot leave where it never was', [remove], ['TEMPLATE_UNKNOWN']],
    ['comes back as a new version', [save('a'), remove, save('a')], ['v1', 'deleted', 'v2']],
    [
      'comes back as the version that it was',
      [save('a'), remove, save('a', { version: 1 }), save('b')],
      ['v1', 'deleted', 'v1', 'v2'],
    ],
  ])('%s', (_, commands, answers) => expect(told(...commands)).toEqual(answers))

  it.each([
    ['no step at all', { kind: 'scrpt' }, /step\.kind/],
    ['only steps that never run', { kind: 'script', script: 'x', minimumHealthy: '100%' }, /lets no target work/],
    ['a call that cannot be made', { kind: 'http', url: 'http://x', body: 'x' }, /has no body/],
    ['a variable under a name of ours', { kind: 'script', script: 'x', environment: { REMUDA_X: '1' } }, /REMUDA_X/],
  ])('is refused when it can give %s', (_, step, why) => {
    const decision = templates.decide(save('', { content: TemplateContent.parse({ step }) }), templates.initial)
    expect(decision).toMatchObject({ refused: 'TEMPLATE_INVALID', detail: expect.stringMatching(why) })
  })

  it('has an end to its versions', () => {
    const many = Array.from({ length: 500 }, (_, n): TemplateEvent => ({
      type: 'TemplateSaved',
      data: { name: 't', version: n + 1, ...content(`x${n}`) },
    }))
    const state = replay(templates, many)
    expect(templates.decide(save('y'), state)).toMatchObject({ refused: 'TEMPLATE_VERSIONS_TOO_MANY' })
  })
})
