import { describe, expect, it } from 'vitest'
import { add, added, close, counter } from './counter.ts'
import { specify } from './spec.ts'

const given = specify(counter)
const closed = { type: 'Closed', data: { reason: 'enough' } } as const

describe('a specification', () => {
  it('passes when it is right', () => {
    given(added(3)).when(add(4)).thenRecorded(added(4))
    given(closed).when(close).thenNothing()
    given(closed).when(add(1)).thenRefused('MACHINE_REMOVED')
    given(closed).when(add(1)).thenRefused('MACHINE_REMOVED', 'closed')
  })

  it.each([
    ['other facts', () => given().when(add(4)).thenRecorded(added(5))],
    ['more facts', () => given().when(add(4)).thenRecorded(added(4), added(4))],
    ['facts where there are none', () => given(closed).when(close).thenRecorded(closed)],
    ['nothing where there are facts', () => given().when(add(4)).thenNothing()],
    ['nothing where it is refused', () => given(closed).when(add(4)).thenNothing()],
    ['a refusal where there are facts', () => given().when(add(4)).thenRefused('MACHINE_REMOVED')],
    ['another refusal', () => given(closed).when(add(4)).thenRefused('MACHINE_UNKNOWN')],
    ['another sentence', () => given(closed).when(add(4)).thenRefused('MACHINE_REMOVED', 'open')],
  ])('fails when it expects %s', (_, specification) => {
    expect(specification).toThrow()
  })
})
