import { connect, headers, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { eventSubject } from '#contracts/subjects.ts'
import { BusFault, type Bus, type RawMessage } from '#libs/bus/bus.ts'
import { openNatsBus } from '#libs/bus/nats.ts'
import type { NatsBusOptions } from '#libs/bus/nats/options.ts'
import { openBus } from '#libs/bus/open.ts'
import { silentLog } from '#libs/log.ts'
import { systemClock } from '#libs/systemClock.ts'
import { collectingLog } from '../../support/collectingLog.ts'
import { findNats, NatsServer } from '../../support/servers.ts'
import { busConformance } from './conformance.ts'

const program = await findNats()
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 5_000, interval: 2 })

describe.skipIf(program === null)('on a real server of NATS', () => {
  let server: NatsServer
  beforeAll(async () => {
    server = await NatsServer.start(program!)
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const open = (options: Partial<NatsBusOptions> = {}) =>
    openNatsBus(server.url, { clock: systemClock, log: silentLog, allowOldServer: true, ...options })

  describe('as any bus,', () => {
    busConformance('NATS bus', async () => {
      const log = collectingLog()
      // One test leaves a request without an answer for ever, which closing waits for.
      return { bus: await open({ log, drainMs: 300 }), logged: log.lines }
    })
  })

  describe('the NATS bus alone', () => {
    let log = collectingLog()
    let bus: Bus
    let outsider: NatsConnection
    beforeEach(async () => {
      log = collectingLog()
      bus = await open({ log, requestsMax: 2 })
      outsider = await connect({ servers: server.url })
    })
    afterEach(async () => {
      await bus[Symbol.asyncDispose]()
      await outsider.close()
    })

    const event: Recorded = {
      type: 'MachineRegistered',
      data: { machineId: 'web-01', roles: ['web'], note: null },
      meta: {
        id: '01990000-0000-7000-8000-000000000001',
        stream: 'machine-web-01',
        version: 3,
        position: 4_711,
        at: 1_760_000_000_123,
        actor: 'user:Jörg "Kim" 100%',
        commandId: 'command-1',
        correlationId: 'flow-1',
        causationId: null,
      },
    }

    /** Resolves when the server knows what this bus listens to: it answers one question after the other. */
    const known = (listening: Bus) => listening.request('nobody.there', null).catch(() => {})
    const answersTo = async (subject: string) => {
      const answers: unknown[] = []
      const wait = { strategy: 'timer', maxWait: 100 } as const
      for await (const answer of await outsider.requestMany(subject, '', wait)) answers.push(answer.json())
      return answers
    }

    it('shows an event to any client as a CloudEvent', async () => {
      const heard = outsider.subscribe('remuda.events.>', { max: 1 })
      await outsider.flush()
      bus.publish(eventSubject('machine-web-01'), event)
      for await (const { subject, data, headers } of heard) {
        expect(subject).toBe('remuda.events.machine.web-01')
        expect(JSON.parse(new TextDecoder().decode(data))).toEqual(event.data)
        expect(Object.fromEntries([...headers!].map(([name, [value]]) => [name, value]))).toEqual({
          'ce-specversion': '1.0',
          'ce-id': event.meta.id,
          'ce-source': '/remuda/machine',
          'ce-type': 'MachineRegistered',
          'ce-subject': 'web-01',
          'ce-time': '2025-10-09T08:53:20.123Z',
          'ce-datacontenttype': 'application/json',
          'ce-stream': 'machine-web-01',
          'ce-streamversion': '3',
          'ce-position': '4711',
          'ce-actor': 'user:J%C3%B6rg%20%22Kim%22%20100%25',
          'ce-commandid': 'command-1',
          'ce-correlationid': 'flow-1',
        })
      }
    })

    it('gives our own subscribers the event as it was recorded', async () => {
      await using other = await open()
      const heard: unknown[] = []
      bus.subscribe('remuda.events.>', ({ payload }) => void heard.push(payload))
      await known(bus)
      other.publish(eventSubject('machine-web-01'), event)
      await eventually(() => expect(heard).toEqual([event]))
    })

    it('hears what any client publishes as JSON, and survives what is not', async () => {
      const heard: unknown[] = []
      bus.subscribe('in.*', ({ payload }) => void heard.push(payload))
      await known(bus)
      outsider.publish('in.a', '{"n":1}')
      outsider.publish('in.a', 'no JSON')
      outsider.publish('in.a', new Uint8Array([0xff, 0xfe]))
      outsider.publish('in.a', '{"n":2}')
      await eventually(() => expect(heard).toEqual([{ n: 1 }, { n: 2 }]))
      expect(log.linesOf('error')).toHaveLength(2)
    })

    it('answers any client, and tells it of a failure as NATS services do', async () => {
      bus.respond('ask', async ({ payload }) => {
        if (payload === 'fail') throw new Error('the disk\nis full')
        return { payload }
      })
      await bus.request('ask', 1)
      expect((await outsider.request('ask', '1')).json()).toEqual({ payload: 1 })
      const { headers } = await outsider.request('ask', '"fail"')
      expect(headers?.get('Nats-Service-Error')).toBe('the disk is full')
      expect(headers?.get('Nats-Service-Error-Code')).toBe('500')
    })

    it('hands over what any client sends as it came, and answers with all of a refusal', async () => {
      const heard: RawMessage[] = []
      const failure = { status: 400, reason: 'not\n what was expected' }
      bus.receive(
        'in.*',
        async (message) => {
          heard.push(message)
          return { payload: { code: 'NO' }, headers: { 'content-type': 'application/problem+json' }, failure }
        },
        { queue: 'q' },
      )
      await known(bus)
      const garbage = new Uint8Array([0xff, 0x00, 0xfe])
      const more = headers()
      more.append('Ce-Id', 'first')
      more.append('Ce-Id', 'second')
      outsider.publish('in.a', garbage, { headers: more })
      const reply = await outsider.request('in.b', garbage)
      expect(reply.json()).toEqual({ code: 'NO' })
      expect(reply.headers?.get('content-type')).toBe('application/problem+json')
      expect(reply.headers?.get('Nats-Service-Error')).toBe('not what was expected')
      expect(reply.headers?.get('Nats-Service-Error-Code')).toBe('400')
      await eventually(() => expect(heard).toHaveLength(2))
      expect(heard.map(({ subject, bytes }) => [subject, [...bytes]])).toEqual([
        ['in.a', [...garbage]],
        ['in.b', [...garbage]],
      ])
      expect(Object.fromEntries(heard[0]!.headers)).toEqual({ 'ce-id': 'first' })
      expect(log.lines).toEqual([])

      const { endpoints } = (await outsider.request('$SRV.STATS')).json<{ endpoints: object[] }>()
      expect(endpoints).toMatchObject([
        { subject: 'in.*', num_requests: 2, num_errors: 2, last_error: 'not what was expected' },
      ])
    })

    it('answers outsiders at inboxes only, since it may publish where they may not', async () => {
      await using wide = await open()
      const heard: RawMessage[] = []
      const answer = { payload: 'thanks', headers: {}, failure: null }
      wide.receive(
        'in.*',
        async (message) => {
          heard.push(message)
          return answer
        },
        { queue: 'q' },
      )
      await known(wide)
      const answered: string[] = []
      for (const subject of ['$JS.API.>', 'remuda.>', 'elsewhere', '_INBOX_mine.>', '_INBOX.>'])
        outsider.subscribe(subject, { callback: (_, message) => void answered.push(message.subject) })
      const replies = ['$JS.API.STREAM.DELETE.x', 'remuda.signals.heartbeat', 'elsewhere', '_INBOX_mine.1', '_INBOX.1']
      for (const reply of replies) outsider.publish('in.a', '1', { reply })
      await eventually(() => expect(answered).toContain('_INBOX.1'))
      expect(heard.map(({ answerWanted }) => answerWanted)).toEqual([false, false, false, true, true])
      expect(answered).toEqual(['_INBOX_mine.1', '_INBOX.1'])
    })

    it('keeps requests from those who subscribe, and publications from those who respond', async () => {
      const [heard, asked]: [unknown[], unknown[]] = [[], []]
      bus.subscribe('a', ({ payload }) => void heard.push(payload))
      bus.respond('a', async ({ payload }) => void asked.push(payload))
      bus.publish('a', 'published')
      await bus.request('a', 'requested')
      await eventually(() => expect(heard).toEqual(['published']))
      expect(asked).toEqual(['requested'])
    })

    it('drops what is too big for the server with a sentence, and goes on', async () => {
      const heard: unknown[] = []
      bus.subscribe('a', ({ payload }) => void heard.push(payload))
      bus.publish('a', 'x'.repeat(1_100_000))
      bus.publish('a', 10n)
      bus.publish('no subject', 1)
      bus.publish('a', 'y'.repeat(900_000))
      await eventually(() => expect(heard).toEqual(['y'.repeat(900_000)]))
      expect(log.linesOf('error')).toEqual(Array(3).fill('a message cannot be published'))
    })

    it('says how big a request or an answer was, and what the server takes', async () => {
      const big = 'x'.repeat(1_100_000)
      bus.respond('big', async () => big)
      for (const asked of [bus.request('big', big), bus.request('big', 1)])
        await expect(asked).rejects.toMatchObject({
          reason: 'failed',
          message: expect.stringMatching(/has 1100002 bytes and NATS takes 1048576.*max_payload/),
        })
    })

    it('fails requests beyond what a responder may have in hand', async () => {
      await using other = await open()
      const gate = Promise.withResolvers<string>()
      bus.respond('ask', () => gate.promise)
      await known(bus)
      const asked = [1, 2, 3].map((n) => other.request('ask', n).catch((error: unknown) => (error as Error).message))
      expect(await asked[2]).toContain('2 requests are in hand')
      gate.resolve('fine')
      expect(await Promise.all(asked.slice(0, 2))).toEqual(['fine', 'fine'])
    })

    it('fails requests beyond those that may wait here', async () => {
      await using other = await open()
      const gate = Promise.withResolvers<string>()
      other.respond('ask', () => gate.promise)
      await known(other)
      const asked = [1, 2].map((n) => bus.request('ask', n))
      await expect(bus.request('ask', 3)).rejects.toMatchObject({ reason: 'failed' })
      gate.resolve('fine')
      expect(await Promise.all(asked)).toEqual(['fine', 'fine'])
    })

    it('shares requests out between processes', async () => {
      await using other = await open()
      const answers = { here: 0, there: 0 }
      bus.respond('ask', async () => (answers.here += 1), { queue: 'q' })
      other.respond('ask', async () => (answers.there += 1), { queue: 'q' })
      await known(other)
      for (let asked = 0; asked < 60; asked++) await bus.request('ask', asked)
      expect(answers.here + answers.there).toBe(60)
      expect(Math.min(answers.here, answers.there)).toBeGreaterThan(5)
    })

    it('answers what it has in hand before it closes, and takes nothing more', async () => {
      const closing = await open({ drainMs: 5_000 })
      const gate = Promise.withResolvers<string>()
      const begun = Promise.withResolvers<void>()
      closing.respond('ask', () => {
        begun.resolve()
        return gate.promise
      })
      await known(closing)
      const asked = bus.request('ask', 1)
      await begun.promise
      const closed = closing[Symbol.asyncDispose]()
      const refused = () => bus.request('ask', 2, { timeoutMs: 50 }).catch((error: unknown) => error)
      await vi.waitFor(async () => expect(await refused()).toMatchObject({ reason: 'no-responders' }), 5_000)
      gate.resolve('just in time')
      expect(await asked).toBe('just in time')
      await closed
    })

    it.each(['', '.remuda'])('is seen by NATS tools that ask $SRV.*%s', async (rest) => {
      bus.respond('remuda.commands.registry.*', async ({ payload }) => payload, { queue: 'registry' })
      bus.respond('gone', async () => 1).stop()
      await bus.request('remuda.commands.registry.Do', 1)
      // The server may still believe in those that were closed a moment ago.
      await vi.waitFor(async () => expect(await answersTo('$SRV.PING')).toHaveLength(1), { timeout: 5_000 })
      const ask = async (verb: string) =>
        (await outsider.request(`$SRV.${verb}${rest}`)).json<Record<string, unknown>>()

      const ping = await ask('PING')
      const identity = { name: 'remuda', id: ping.id, version: expect.stringMatching(/^\d+\.\d+\.\d+/), metadata: {} }
      expect(ping).toEqual({ type: 'io.nats.micro.v1.ping_response', ...identity })
      const endpoint = {
        name: 'remuda-commands-registry-any',
        subject: 'remuda.commands.registry.*',
        queue_group: 'registry',
      }
      expect(await ask('INFO')).toEqual({
        type: 'io.nats.micro.v1.info_response',
        ...identity,
        description: expect.any(String),
        endpoints: [{ ...endpoint, metadata: {} }],
      })
      expect(await ask('STATS')).toEqual({
        type: 'io.nats.micro.v1.stats_response',
        ...identity,
        started: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        endpoints: [
          {
            ...endpoint,
            num_requests: 1,
            num_errors: 0,
            last_error: '',
            processing_time: expect.any(Number),
            average_processing_time: expect.any(Number),
          },
        ],
      })
      expect((await outsider.request(`$SRV.PING.remuda.${String(ping.id)}`)).json()).toEqual(ping)
    })

    it('is opened by its URL', async () => {
      const options = { clock: systemClock, log: silentLog }
      await using opened = await openBus(server.url, { ...options, nats: { allowOldServer: true } })
      bus.respond('ask', async () => 'heard')
      await known(bus)
      expect(await opened.request('ask', 1)).toBe('heard')
      await expect(openBus('nats://', { ...options })).rejects.toThrow(BusFault)
    })
  })
})
