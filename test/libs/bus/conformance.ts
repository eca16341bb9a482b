import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BusFault, type Bus, type BusMessage, type RawAnswer, type RawMessage } from '#libs/bus/bus.ts'

export interface BusUnderTest {
  readonly bus: Bus
  /** What the bus has logged, as sentences. */
  readonly logged: readonly string[]
}

const eventually = (check: () => void) => vi.waitFor(check, { timeout: 5_000, interval: 2 })
const faultOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'answered',
    (error: unknown) => error,
  )

/** What every bus must do, whatever carries it. Nothing here may rely on an order between two subscribers. */
export function busConformance(name: string, open: () => Promise<BusUnderTest>): void {
  let bus: Bus
  let logged: readonly string[]

  beforeEach(async () => {
    ;({ bus, logged } = await open())
  })
  afterEach(async () => {
    await bus[Symbol.asyncDispose]()
  })

  const collect = (pattern: string, options?: { queue?: string }) => {
    const messages: BusMessage[] = []
    const subscription = bus.subscribe(pattern, (message) => void messages.push(message), options)
    return { messages, subscription, payloads: () => messages.map(({ payload }) => payload) }
  }

  describe(`${name}: publish and subscribe`, () => {
    it('brings a message to everyone who listens, with its subject and payload', async () => {
      const [first, second] = [collect('a.b'), collect('a.b')]
      bus.publish('a.b', { n: 1, list: ['x'], nothing: null })
      await eventually(() => {
        for (const { messages } of [first, second])
          expect(messages).toEqual([{ subject: 'a.b', payload: { n: 1, list: ['x'], nothing: null } }])
      })
    })

    it('never runs a handler inside publish', () => {
      const { messages } = collect('a')
      bus.publish('a', 1)
      expect(messages).toEqual([])
    })

    it('keeps the order of one publisher for each subscriber', async () => {
      const { messages, payloads } = collect('a.>')
      const sent = Array.from({ length: 500 }, (_, n) => n)
      for (const n of sent) bus.publish(`a.${n % 7}`, n)
      await eventually(() => expect(messages).toHaveLength(sent.length))
      expect(payloads()).toEqual(sent)
    })

    it('does not mind when nobody listens', async () => {
      bus.publish('nobody.listens', 1)
      const { payloads } = collect('a')
      bus.publish('a', 2)
      await eventually(() => expect(payloads()).toEqual([2]))
    })

    it.each([
      ['a.b', ['a.b'], ['a', 'a.b.c', 'a.c', 'b.a.b']],
      ['a.*', ['a.b', 'a.c'], ['a', 'a.b.c', 'b.a']],
      ['*.b', ['a.b', 'c.b'], ['b', 'a.b.c', 'a.c']],
      ['a.*.c', ['a.b.c', 'a.x.c'], ['a.c', 'a.b.b.c', 'a.b.d']],
      ['a.>', ['a.b', 'a.b.c.d'], ['a', 'ab.c', 'b.a']],
      ['a.*.>', ['a.b.c', 'a.b.c.d'], ['a', 'a.b']],
      ['>', ['a', 'a.b.c'], []],
    ])('understands the pattern %s', async (pattern, matching, others) => {
      const { messages } = collect(pattern)
      const marker = matching[0]!
      for (const subject of [...matching, ...others]) bus.publish(subject, 'message')
      bus.publish(marker, 'last')
      await eventually(() => expect(messages.at(-1)?.payload).toBe('last'))
      expect(messages.map(({ subject }) => subject)).toEqual([...matching, marker])
    })

    it.each(['', 'a..b', '.a', 'a.', 'a.>.b', 'a*', 'a.b>'])("refuses '%s' as a pattern", (pattern) => {
      expect(() => collect(pattern)).toThrow(/pattern/)
    })

    it('brings nothing more to who has stopped', async () => {
      const [stopped, stays] = [collect('a'), collect('a')]
      bus.publish('a', 1)
      await eventually(() => expect(stopped.payloads()).toEqual([1]))
      stopped.subscription.stop()
      stopped.subscription.stop()
      bus.publish('a', 2)
      await eventually(() => expect(stays.payloads()).toEqual([1, 2]))
      expect(stopped.payloads()).toEqual([1])
    })

    it.each([
      [
        'throws',
        () => {
          throw new Error('broken')
        },
      ],
      ['rejects', () => Promise.reject(new Error('broken'))],
    ])('goes on with the next message when a handler %s, and logs it', async (_, fail) => {
      let calls = 0
      bus.subscribe('a', () => {
        calls += 1
        return fail()
      })
      const other = collect('a')
      bus.publish('a', 1)
      bus.publish('a', 2)
      await eventually(() => expect(calls).toBe(2))
      await eventually(() => expect(other.payloads()).toEqual([1, 2]))
      await eventually(() => expect(logged.filter((line) => line.includes('failed on a message'))).toHaveLength(2))
    })

    it('handles one message of a subscriber after the other', async () => {
      const steps: string[] = []
      const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      bus.subscribe('a', async ({ payload }) => {
        steps.push(`begin ${String(payload)}`)
        await gates[Number(payload)]!.promise
        steps.push(`end ${String(payload)}`)
      })
      bus.publish('a', 0)
      bus.publish('a', 1)
      gates[1]!.resolve()
      await eventually(() => expect(steps).toEqual(['begin 0']))
      gates[0]!.resolve()
      await eventually(() => expect(steps).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1']))
    })
  })

  describe(`${name}: queue groups`, () => {
    it('give each message to one member, and every member its share', async () => {
      const members = [collect('a.*', { queue: 'q' }), collect('a.*', { queue: 'q' })]
      const sent = Array.from({ length: 200 }, (_, n) => n)
      for (const n of sent) bus.publish(`a.${n}`, n)
      await eventually(() => expect(members.flatMap(({ messages }) => messages)).toHaveLength(sent.length))
      expect(members.flatMap(({ payloads }) => payloads()).sort((a, b) => Number(a) - Number(b))).toEqual(sent)
      for (const { messages } of members) expect(messages.length).toBeGreaterThan(20)
    })

    it('know nothing of other groups, nor of those without one', async () => {
      const all = [collect('a', { queue: 'q' }), collect('a', { queue: 'other' }), collect('a')]
      bus.publish('a', 1)
      bus.publish('a', 2)
      await eventually(() => {
        for (const { payloads } of all) expect(payloads()).toEqual([1, 2])
      })
    })

    it('go on when a member leaves', async () => {
      const [leaves, stays] = [collect('a', { queue: 'q' }), collect('a', { queue: 'q' })]
      leaves.subscription.stop()
      for (const n of [1, 2, 3]) bus.publish('a', n)
      await eventually(() => expect(stays.payloads()).toEqual([1, 2, 3]))
    })
  })

  describe(`${name}: request and respond`, () => {
    it('answers with what the handler returns', async () => {
      bus.respond('double.*', async ({ subject, payload }) => ({ subject, twice: 2 * Number(payload) }))
      expect(await bus.request('double.it', 21)).toEqual({ subject: 'double.it', twice: 42 })
    })

    it('answers many at once, each with its own answer', async () => {
      bus.respond('echo', async ({ payload }) => payload)
      const asked = Array.from({ length: 300 }, (_, n) => n)
      expect(await Promise.all(asked.map((n) => bus.request('echo', n)))).toEqual(asked)
    })

    it('does not let a slow answer hold up others', async () => {
      const slow = Promise.withResolvers<string>()
      bus.respond('ask', async ({ payload }) => (payload === 'slow' ? slow.promise : 'quick'))
      const first = bus.request('ask', 'slow')
      expect(await bus.request('ask', 'other')).toBe('quick')
      slow.resolve('late')
      expect(await first).toBe('late')
    })

    it('asks one member of a queue group', async () => {
      let answers = 0
      for (let member = 0; member < 3; member++) bus.respond('ask', async () => (answers += 1), { queue: 'q' })
      for (let asked = 1; asked <= 9; asked++) expect(await bus.request('ask', null)).toBe(asked)
    })

    it('says at once that nobody answers', async () => {
      const fault = await faultOf(bus.request('nobody', 1, { timeoutMs: 5_000 }))
      expect(fault).toBeInstanceOf(BusFault)
      expect(fault).toMatchObject({ reason: 'no-responders' })
    })

    it('counts a responder that has stopped as nobody', async () => {
      bus.respond('ask', async () => 1).stop()
      expect(await faultOf(bus.request('ask', 1, { timeoutMs: 5_000 }))).toMatchObject({ reason: 'no-responders' })
    })

    it('gives up when no answer comes in time, and survives the late one', async () => {
      const late = Promise.withResolvers<string>()
      bus.respond('ask', () => late.promise)
      expect(await faultOf(bus.request('ask', 1, { timeoutMs: 20 }))).toMatchObject({ reason: 'timeout' })
      late.resolve('too late')
      bus.respond('other', async () => 'fine')
      expect(await bus.request('other', 1)).toBe('fine')
    })

    it('tells the asker what went wrong when the handler throws', async () => {
      bus.respond('ask', () => Promise.reject(new Error('the disk is full')))
      const fault = await faultOf(bus.request('ask', 1))
      expect(fault).toBeInstanceOf(BusFault)
      expect(fault).toMatchObject({ reason: 'failed', message: expect.stringContaining('the disk is full') })
    })
  })

  describe(`${name}: messages as they came`, () => {
    const answer = (payload: unknown, failure: RawAnswer['failure'] = null): RawAnswer => ({
      payload,
      headers: { 'content-type': 'application/json' },
      failure,
    })
    const take = (pattern: string, queue = 'q', reply = answer('thanks')) => {
      const messages: RawMessage[] = []
      const handler = async (message: RawMessage) => {
        messages.push(message)
        return reply
      }
      return { messages, subscription: bus.receive(pattern, handler, { queue }) }
    }
    const read = ({ subject, bytes, headers, answerWanted }: RawMessage) => ({
      subject,
      payload: JSON.parse(new TextDecoder().decode(bytes)) as unknown,
      headers: Object.fromEntries(headers),
      answerWanted,
    })

    it('are the bytes and the headers, whether an answer is wanted or not', async () => {
      const { messages } = take('in.*')
      expect(await bus.request('in.a', { n: 1 }, { headers: { 'CE-Id': 'x y', other: 'Other' } })).toBe('thanks')
      bus.publish('in.b', [2], { headers: { 'ce-id': 'z' } })
      await eventually(() => expect(messages).toHaveLength(2))
      expect(messages.map(read)).toEqual([
        { subject: 'in.a', payload: { n: 1 }, headers: { 'ce-id': 'x y', other: 'Other' }, answerWanted: true },
        { subject: 'in.b', payload: [2], headers: { 'ce-id': 'z' }, answerWanted: false },
      ])
    })

    it('may have neither', async () => {
      const { messages } = take('in.*')
      bus.publish('in.a', undefined)
      await eventually(() => expect(messages).toHaveLength(1))
      expect([messages[0]!.bytes.byteLength, messages[0]!.headers.size]).toEqual([0, 0])
    })

    it('go to one member of a queue group, published or asked', async () => {
      const members = [take('in.*'), take('in.*'), take('in.*', 'other')]
      for (let n = 0; n < 20; n++) bus.publish('in.a', n)
      for (let n = 0; n < 20; n++) await bus.request('in.a', n)
      const counts = () => members.map(({ messages }) => messages.length)
      await eventually(() => expect(counts()[0]! + counts()[1]!).toBe(40))
      await eventually(() => expect(counts()[2]).toBe(40))
    })

    it('can be answered with no', async () => {
      take('in.*', 'q', answer({ code: 'X' }, { status: 403, reason: 'you may not' }))
      const fault = await faultOf(bus.request('in.a', 1))
      expect(fault).toMatchObject({ name: 'BusFault', reason: 'failed', message: 'you may not' })
    })

    it('are taken no more by who has stopped', async () => {
      const [stopped, stays] = [take('in.a', 'q'), take('in.a', 'other')]
      stopped.subscription.stop()
      stopped.subscription.stop()
      bus.publish('in.a', 1)
      await bus.request('in.a', 2)
      await eventually(() => expect(stays.messages).toHaveLength(2))
      expect(stopped.messages).toEqual([])
    })
  })

  describe(`${name}: closing`, () => {
    it('fails the requests that are still waiting, and all later ones', async () => {
      bus.respond('ask', () => Promise.withResolvers().promise)
      const waiting = faultOf(bus.request('ask', 1))
      await bus[Symbol.asyncDispose]()
      expect(await waiting).toMatchObject({ reason: 'closed' })
      expect(await faultOf(bus.request('ask', 1))).toMatchObject({ reason: 'closed' })
    })

    it('makes publishing do nothing, and subscribing a fault', async () => {
      const { messages } = collect('a')
      await bus[Symbol.asyncDispose]()
      bus.publish('a', 1)
      expect(() => collect('a')).toThrow(BusFault)
      expect(messages).toEqual([])
    })

    it('can be done twice', async () => {
      await bus[Symbol.asyncDispose]()
      await bus[Symbol.asyncDispose]()
    })
  })
}
