import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { eventSchemas } from '#contracts/describe/files.ts'
import { goldenEvents } from './goldenEvents.ts'
import { brokenPromises, digestOf, lastRelease, promisesOf, remedy } from './released.ts'

const released = lastRelease()
const ajv = new Ajv2020({ strict: false })
addFormats.default(ajv)

describe('what was released', () => {
  it('is still read, every shape of it, and every golden event that was kept is kept', () => {
    expect(brokenPromises(released, eventSchemas(), goldenEvents), remedy).toEqual([])
  })

  it('has a golden event of every type', () => {
    expect(Object.keys(released.golden).toSorted()).toEqual(Object.keys(released.schemas).toSorted())
  })

  it.each(goldenEvents.filter((event) => released.golden[event.type]?.includes(digestOf(event))))(
    'describes $type of $file, which was kept by then',
    ({ type, data }) => {
      const validate = ajv.compile(released.schemas[type]!)
      expect(validate(data), ajv.errorsText(validate.errors)).toBe(true)
    },
  )
})

describe('a promise is seen to be broken', () => {
  const [first, ...others] = goldenEvents
  const promised = promisesOf('1', eventSchemas(), goldenEvents)

  it('when a golden event is edited or taken away', () => {
    const sentence = `a golden event of type ${first!.type} was edited or taken away`
    const edited = { ...first!, data: { ...first!.data, addedLater: true } }
    expect(brokenPromises(promised, eventSchemas(), others)).toEqual([sentence])
    expect(brokenPromises(promised, eventSchemas(), [edited, ...others])).toEqual([sentence])
  })

  it('when a type is gone', () => {
    const { MachineEnabled: _, ...left } = eventSchemas()
    expect(brokenPromises(promised, left, goldenEvents)).toEqual(['MachineEnabled is no longer an event type'])
  })

  it('but not when a golden event or a type is added', () => {
    const added = { type: 'MachineMoved', data: {}, file: 'golden.v2.json' }
    expect(brokenPromises(promised, { ...eventSchemas(), MachineMoved: {} }, [...goldenEvents, added])).toEqual([])
  })
})
