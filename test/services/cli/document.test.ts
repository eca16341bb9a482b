import { describe, expect, it } from 'vitest'
import { PolicySettings } from '#contracts/policySettings.ts'
import { Process } from '#contracts/process.ts'
import { checked, mistakesAt, parseSource } from '../../../services/cli/document.ts'

const read = (...lines: string[]) => parseSource('process.yaml', lines.join('\n'))
const mistakesOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    return (error as Error).message
  }
  return 'no mistake'
}

describe('a file that a person wrote', () => {
  it('gives its value as written, so that the server fills in what is left out', () => {
    const source = read('steps:', '  - id: hello', '    kind: script', '    script: echo hello')
    expect(checked(source, Process)).toEqual({ steps: [{ id: 'hello', kind: 'script', script: 'echo hello' }] })
  })
  it('may be JSON as well', () => {
    const source = parseSource('policy.json', '{ "guard": { "share": 0.3 } }')
    expect(checked(source, PolicySettings)).toEqual({ guard: { share: 0.3 } })
  })
  it('that is no YAML is told with line and column', () => {
    expect(mistakesOf(() => read('steps:', '  - id: [broken', 'x: 1'))).toMatch(/^process\.yaml:3:1: /)
  })
  it('that says something twice is told so', () => {
    expect(mistakesOf(() => read('guard: {}', 'guard: {}'))).toBe('process.yaml:2:1: Map keys must be unique')
  })
  it('has every mistake at its own place', () => {
    const source = read(
      'steps:',
      '  - id: Not An Id',
      '    kind: script',
      '    script: echo',
      '    window: 0%',
      '  - id: second',
      '    kind: script',
      '    script: echo',
      '    tiemLimitMs: 5m',
    )
    const lines = mistakesOf(() => checked(source, Process)).split('\n')
    expect(lines[0]).toMatch(/^process\.yaml:2:9: steps\.0\.id: /)
    expect(lines[1]).toMatch(/^ {2}process\.yaml:5:13: steps\.0\.window: .*25%/)
    expect(lines[2]).toBe('  process.yaml:9:5: steps.1.tiemLimitMs: there is no such setting')
  })
  it('shows what is missing at what it is missing from', () => {
    const source = read('steps:', '  - id: first', '    kind: script')
    expect(mistakesOf(() => checked(source, Process))).toMatch(/^process\.yaml:2:5: steps\.0\.script: /)
  })
  it('shows the mistakes that the server found at their places, too', () => {
    const source = read('steps:', '  - id: first', '    kind: script', '    script: echo')
    const errors = [{ path: 'body.steps.0.script', message: 'too short' }]
    expect(mistakesAt(source, errors).message).toBe('process.yaml:4:13: steps.0.script: too short')
  })
  it('cannot blow up by references to itself', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
    for (const [before, name] of [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'd'],
      ['d', 'e'],
    ]) {
      bomb.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(', ')}]`)
    }
    expect(mistakesOf(() => read(...bomb))).toMatch(/^process\.yaml:2:8: references .* write out/)
    expect(mistakesOf(() => read('a: &a', '  b: *a'))).toBe('process.yaml:2:6: *a stands inside what it refers to')
    expect(mistakesOf(() => read('a: *b'))).toBe('process.yaml:1:4: there is no anchor &b before it')
  })
  it('is told once and at a place that it is nested too deeply', () => {
    for (const text of ['['.repeat(20_000), `a: ${'['.repeat(5_000)}${']'.repeat(5_000)}`])
      expect(mistakesOf(() => read(text))).toMatch(/^process\.yaml:1:\d+: it is nested too deeply$/)
  })
  it('is told where tabs, a second document or an unknown tag stand', () => {
    expect(mistakesOf(() => read('steps:', '\t- id: a'))).toMatch(/^process\.yaml:2:1: Tabs/)
    expect(mistakesOf(() => read('a: 1', '---', 'b: 2'))).toMatch(/^process\.yaml:2:1: a file holds one document/)
    expect(mistakesOf(() => read('a: !foo 1'))).toMatch(/^process\.yaml:1:4: Unresolved tag/)
  })
})
