import { describe, expect, it } from 'vitest'
import { parseSource } from '../../../services/cli/document.ts'
import { ApiProblem } from '../../../services/cli/failure.ts'
import { placed } from '../../../services/cli/placed.ts'

const source = parseSource(
  'shop.yaml',
  ['process:', '  steps:', '    - id: first', '      with: { unit: x }', '    - { id: second, when: "a(" }'].join('\n'),
)
const told = (detail: string) =>
  placed(source, new ApiProblem(422, 'PROCESS_INVALID', detail, [], null), ['process']).message.split('\n  ')

describe('what a server found wrong with steps', () => {
  it('is told at the place of each, and at what of it is wrong', () => {
    expect(told('step first: with.unit: is no unit; or so; step second: when: what is a?; step first: bad')).toEqual([
      'shop.yaml:4:21: step first: with.unit: is no unit; or so',
      'shop.yaml:5:27: step second: when: what is a?',
      'shop.yaml:3:7: step first: bad',
    ])
  })
  it('is told as it is where it is about no step of the file', () => {
    expect(told('it takes 9 bytes; step third: bad')).toEqual(['it takes 9 bytes', 'step third: bad'])
    expect(placed(parseSource('a.yaml', 'x: 1'), new ApiProblem(422, 'X', 'step first: bad', [], null)).message).toBe(
      'step first: bad',
    )
  })
})
