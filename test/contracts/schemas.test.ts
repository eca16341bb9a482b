import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { agentFrameSchemas, serverFrameSchemas } from '#contracts/describe/frames.ts'
import { contractFiles, eventSchemas } from '#contracts/describe/files.ts'
import { inboxes, type Inbox } from '#contracts/describe/inboxes.ts'
import { messagesOf } from '#contracts/describe/messages.ts'
import { streamKinds, type StreamKind } from '#contracts/describe/streams.ts'
import { inboundRequests } from '#contracts/inbound.ts'
import * as credentialRows from '#contracts/credentialRows.ts'
import * as fleetRows from '#contracts/fleetRows.ts'
import { PackageRow } from '#contracts/package.ts'
import { TemplateRow } from '#contracts/template.ts'
import { EventRow } from '#contracts/eventRow.ts'
import * as rows from '#contracts/rows.ts'
import { newestGolden } from './goldenEvents.ts'

type Data = Record<string, unknown>
const files = contractFiles('1', newestGolden) as ReadonlyMap<string, Data>
// Strict, so that a misspelt keyword is told; but what a record requires is named in no list of properties.
const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true })
addFormats.default(ajv)

const validators = new Map(
  [...files].flatMap(([path, schema]): [string, ValidateFunction][] => {
    const name = /^schemas\/(.+)\.json$/.exec(path)?.[1]
    return name === undefined ? [] : [[name, ajv.compile(schema)]]
  }),
)
const examples = [...files].flatMap(([path, example]): [string, Data][] => {
  const name = /^examples\/(.+)\.json$/.exec(path)?.[1]
  return name === undefined ? [] : [[name, example]]
})
const namesOf = (kind: string) => [...validators.keys()].filter((name) => name.startsWith(`${kind}/`))
const examplesOf = (kind: string) => examples.filter(([name]) => name.startsWith(`${kind}/`))

/** The schema of zod that each JSON Schema was made from. */
const contracts = new Map<string, z.ZodType>([
  ...streamKinds.flatMap(({ events }: StreamKind) =>
    messagesOf(events).map(({ type, data }): [string, z.ZodType] => [`event/${type}`, data]),
  ),
  ...inboxes.flatMap(({ commands }: Inbox) =>
    commands.flatMap(messagesOf).map(({ type, schema }): [string, z.ZodType] => [`command/${type}`, schema]),
  ),
  ...Object.entries(inboundRequests).map(([type, { data }]): [string, z.ZodType] => [`request/${type}`, data]),
  ...agentFrameSchemas.map(({ type, schema }): [string, z.ZodType] => [`frame/agent.${type}`, schema]),
  ...serverFrameSchemas.map(({ type, schema }): [string, z.ZodType] => [`frame/server.${type}`, schema]),
])

/** The example with one thing wrong or missing, at any depth: enough to see two descriptions differ. */
function* spoiled(value: unknown): Generator {
  yield { not: 'this' }
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    const put = (other: unknown) =>
      Array.isArray(value) ? value.with(Number(key), other) : { ...(value as Data), [key]: other }
    if (!Array.isArray(value)) yield Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
    for (const wrong of [null, -1.5, 'a b', []]) yield put(wrong)
    for (const worse of spoiled(inner)) yield put(worse)
  }
}

describe('a JSON Schema', () => {
  it('is there for every event, command, request, frame and row', () => {
    for (const kind of ['event', 'command', 'request', 'frame'])
      expect(namesOf(kind).toSorted()).toEqual([...contracts.keys()].filter((name) => name.startsWith(kind)).toSorted())
    const all = { ...rows, ...fleetRows, ...credentialRows, PackageRow, TemplateRow, EventRow }
    const declared = Object.keys(all).filter((name) => /^[A-Z]/.test(name) && !nested.includes(name))
    expect(namesOf('row').toSorted()).toEqual(declared.map((name) => `row/${name}`).toSorted())
  })

  it('is there for every type that the released shapes are compared by', () => {
    expect(Object.keys(eventSchemas()).map((type) => `event/${type}`)).toEqual(namesOf('event'))
  })

  it('has an example for every event, command, request and frame', () => {
    expect(examples.map(([name]) => name).toSorted()).toEqual([...contracts.keys()].toSorted())
  })

  it.each(examples)('takes its example: %s', (name, example) => {
    const validate = validators.get(name)!
    expect(validate(example), ajv.errorsText(validate.errors)).toBe(true)
    expect(contracts.get(name)!.safeParse(example).error).toBeUndefined()
  })

  it.each(examples)('takes of it what the contract takes, and nothing else: %s', (name, example) => {
    const [validate, contract] = [validators.get(name)!, contracts.get(name)!]
    for (const other of spoiled(example))
      expect([other, validate(other)]).toEqual([other, contract.safeParse(other).success])
  })
})

describe('a newer writer', () => {
  it.each(examplesOf('event'))('may say more in an event: %s', (name, example) => {
    expect(validators.get(name)!({ ...example, addedLater: true })).toBe(true)
  })
  it.each(examplesOf('command'))('may ask nothing unknown in a command: %s', (name, example) => {
    const validate = validators.get(name)!
    expect(validate({ ...example, addedLater: true })).toBe(false)
    expect(validate({ ...example, data: { ...(example['data'] as Data), addedLater: true } })).toBe(false)
  })
})

describe('another system', () => {
  it.each(examplesOf('request'))('may ask nothing unknown: %s', (name, example) => {
    expect(validators.get(name)!({ ...example, addedLater: true })).toBe(false)
  })
})

/** Parts of rows, which nothing answers by themselves; and what a word of a row may be. */
const nested = ['InstalledRelease', 'Removal', 'DeploymentState', 'StepRow', 'TargetRow', 'Silence', 'Link']
