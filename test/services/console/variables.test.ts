import { describe, expect, it } from 'vitest'
import { PutVariablesBody } from '#contracts/api.ts'
import type { VariableRow } from '#contracts/variableRow.ts'
import {
  conflictWords,
  draftOf,
  emptyDraft,
  givenOf,
  identityOf,
  keepsValue,
  withChange,
} from '../../../services/console/app/variables.ts'

const plain: VariableRow = { name: 'LEVEL', value: 'info', environments: [], roles: [] }
const inStaging: VariableRow = { ...plain, value: 'debug', environments: ['staging'], as: 'file', steps: ['install'] }
const secret: VariableRow = {
  ...{ name: 'PASSWORD', value: null, sensitive: true, environments: [], roles: ['db'] },
  secret: { secretId: 'a'.repeat(32), version: 2 },
}
const rows = [plain, inStaging, secret]
const body = (variables: readonly object[]) => PutVariablesBody.parse({ variables }).variables

describe('a change of one variable', () => {
  it('is a body that the API takes, with every other variable as it is', () => {
    const changed = body(withChange(rows, plain, givenOf({ ...draftOf(plain), value: 'warn' }, plain)))
    expect(changed.map(({ name, value }) => [name, value])).toEqual([
      ['LEVEL', 'warn'],
      ['LEVEL', 'debug'],
      ['PASSWORD', undefined],
    ])
    expect(changed[1]).toEqual(inStaging)
    expect(changed[2]).toEqual({ name: 'PASSWORD', sensitive: true, environments: [], roles: ['db'] })
  })
  it('adds a new one behind the others, and takes one away', () => {
    const added = givenOf({ ...emptyDraft, name: 'NEW', value: 'x', environments: 'staging,  production' }, null)
    expect(body(withChange(rows, null, added)).at(-1)).toMatchObject({ environments: ['staging', 'production'] })
    expect(withChange(rows, inStaging, null)).toHaveLength(2)
  })
  it('gives a sensitive one its value only when there is a new one', () => {
    expect(givenOf(draftOf(secret), secret)).not.toHaveProperty('value')
    expect(givenOf({ ...draftOf(secret), value: 'a new one' }, secret)).toMatchObject({ value: 'a new one' })
    expect(givenOf({ ...draftOf(plain), sensitive: true, value: 'hidden now' }, plain)).toMatchObject({
      ...{ sensitive: true, value: 'hidden now' },
    })
  })
  it.each([
    ['for another role', { roles: 'web' }],
    ['in one environment only', { environments: 'staging' }],
    ['for one step only', { steps: 'install' }],
    ['under another name', { name: 'PASSPHRASE' }],
  ])('needs the value of a sensitive one again %s', (_, change) => {
    expect(keepsValue({ ...draftOf(secret), ...change }, secret)).toBe(false)
    expect(givenOf({ ...draftOf(secret), ...change, value: 'again' }, secret)).toMatchObject({ value: 'again' })
  })
  it('keeps the value of a sensitive one whose scope is only written in another way', () => {
    expect(keepsValue({ ...draftOf(secret), roles: ' db, db ', asFile: true }, secret)).toBe(true)
  })
  it('puts it back when somebody has removed it', () => {
    expect(withChange([secret], plain, givenOf(draftOf(plain), plain))).toHaveLength(2)
  })
})

describe('two variables of one name', () => {
  it('are told apart by where they hold, in whatever order that is written', () => {
    expect(identityOf(plain)).not.toBe(identityOf(inStaging))
    const [ab, ba] = [
      ['a', 'b'],
      ['b', 'a'],
    ].map((environments) => identityOf({ ...plain, environments }))
    expect(ab).toBe(ba)
  })
})

describe('a conflict', () => {
  it.each([
    ['of a new one', null, undefined, 'adds yours'],
    ['of one that is gone', plain, undefined, 'removed'],
    ['of one that nobody touched', plain, plain, 'not this one'],
    ['of one with another value', plain, { ...plain, value: 'trace' }, '“trace”'],
    ['of a sensitive one', secret, { ...secret, secret: { secretId: 'b'.repeat(32), version: 1 } }, 'another value'],
  ])('%s says what is there now', (_, before, now, words) => expect(conflictWords(before, now)).toContain(words))
})
