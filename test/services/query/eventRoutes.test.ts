import { describe, expect, it } from 'vitest'
import type { Message } from '#contracts/message.ts'
import { EventRow } from '#contracts/eventRow.ts'
import { listen } from '#libs/http/http.ts'
import { as } from '#test/support/http.ts'
import { api, type Row } from './api.ts'
import * as f from './facts.ts'

const log = `/v1/deployments/${f.deploymentId}/log`

/** Reads a stream until it has said so many things, or has ended; what it says comes back without its comments. */
async function said(response: Response, count: number): Promise<{ id: string; event: string; data: Row }[]> {
  const messages: { id: string; event: string; data: Row }[] = []
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  for (let text = ''; messages.length < count;) {
    const { value, done } = await reader.read()
    if (done) break
    text += value
    const parts = text.split('\n\n')
    text = parts.pop()!
    for (const part of parts) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1] ?? ''
      if (field('data')) messages.push({ id: field('id'), event: field('event'), data: JSON.parse(field('data')) })
    }
  }
  await reader.cancel()
  return messages.slice(0, count)
}

async function listening() {
  const it = await api()
  const { url } = await listen(it.app, { port: 0 })
  const open = (path: string, headers: Record<string, string> = {}) =>
    fetch(url + path, { headers: { ...as('reader'), accept: 'text/event-stream', ...headers } })
  return { ...it, open }
}

describe('the log of events', () => {
  const three = async () => {
    const it = await api()
    await it.tell('machine-a', f.registered('a'), f.disabled('a'))
    await it.tell('machine-b', f.registered('b'))
    await it.tell('enrollment-e1', f.enrollmentCreated)
    const types = async (query: string) => (await it.get(`/v1/events${query}`)).body.items.map(({ type }: Row) => type)
    return { ...it, types }
  }
  it('is told as CloudEvents, in order', async () => {
    const { get } = await three()
    const { body } = await get('/v1/events?limit=1')
    expect(body.items.map((row: unknown) => EventRow.strict().parse(row))).toMatchObject([
      {
        specversion: '1.0',
        source: '/remuda/machine',
        subject: 'a',
        stream: 'machine-a',
        streamversion: 1,
        position: 1,
        actor: 'tester',
      },
    ])
    expect(body.next).toBe('1')
  })
  it('goes on behind a position, and says when there is no more', async () => {
    const { get, types } = await three()
    expect(await types('?after=2')).toEqual(['MachineRegistered', 'EnrollmentCreated'])
    expect((await get('/v1/events?after=2')).body.next).toBeNull()
    expect((await get('/v1/events?after=9')).body).toEqual({ items: [], next: null })
  })
  it('is told of one stream, one category or one type', async () => {
    const { get, types } = await three()
    expect(await types('?stream=machine-a')).toEqual(['MachineRegistered', 'MachineDisabled'])
    expect(await types('?stream=machine-a&after=1')).toEqual(['MachineDisabled'])
    expect(await types('?stream=machine-a&type=MachineRegistered')).toEqual(['MachineRegistered'])
    expect(await types('?stream=machine')).toHaveLength(3)
    expect(await types('?stream=mach')).toEqual([])
    expect(await types('?type=MachineRegistered')).toHaveLength(2)
    const first = (await get('/v1/events?type=MachineRegistered&limit=1')).body
    expect((await get(`/v1/events?type=MachineRegistered&after=${first.next}`)).body.items).toMatchObject([
      { subject: 'b' },
    ])
  })
  it('keeps hashes of secrets to itself', async () => {
    const { get } = await three()
    const { text, body } = await get('/v1/events?stream=enrollment-e1')
    expect(body.items[0].data.environmentId).toBe('staging')
    expect(text).not.toContain('hash')
  })
  it('looks through so many events and no more in one go', async () => {
    const { get, platform } = await api()
    const cause = { actor: 'x', commandId: 'x', correlationId: 'x', causationId: null }
    const page: Message[] = Array.from({ length: 500 }, () => f.healthy('a'))
    for (let at = 0; at < 21_000; at += page.length) await platform.store.append('health-a', at, page, cause)
    const { body } = await get('/v1/events?type=MachineRegistered')
    expect(body).toEqual({ items: [], next: '20000' })
    expect((await get(`/v1/events?type=MachineRegistered&after=${body.next}`)).body).toEqual({ items: [], next: null })
  })
  it.each(['?limit=1001', '?after=-1', '?cursor=x', '/stream?limit=1', '/stream?after=x'])(
    'takes no %s',
    async (query) => {
      const { get } = await api()
      expect(await get(`/v1/events${query}`)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } })
    },
  )
})

describe('the stream of events', () => {
  it('tells what is stored behind a position, then what happens', async () => {
    const { tell, open } = await listening()
    await tell('machine-a', f.registered('a'), f.disabled('a'))
    const response = await open('/v1/events/stream?after=1')
    const reading = said(response, 2)
    await tell('machine-a', f.enabled('a'))
    const messages = await reading
    expect(messages.map(({ id, data }) => [id, EventRow.strict().parse(data).type])).toEqual([
      ['2', 'MachineDisabled'],
      ['3', 'MachineEnabled'],
    ])
  })
  it('begins now unless it is told where', async () => {
    const { tell, open } = await listening()
    await tell('machine-a', f.registered('a'))
    const reading = said(await open('/v1/events/stream'), 1)
    await tell('machine-a', f.disabled('a'))
    expect((await reading).map(({ id }) => id)).toEqual(['2'])
  })
  it('goes on where its reader lost it', async () => {
    const { tell, open } = await listening()
    await tell('machine-a', f.registered('a'), f.disabled('a'), f.enabled('a'))
    const messages = await said(await open('/v1/events/stream?after=0', { 'last-event-id': '2' }), 1)
    expect(messages.map(({ id }) => id)).toEqual(['3'])
  })
  it.each(['seven', '-1', '1.5'])('does not go on from what is no event: %s', async (id) => {
    const { open } = await listening()
    expect((await open('/v1/events/stream', { 'last-event-id': id })).status).toBe(400)
  })
  it('tells only what is asked for', async () => {
    const { tell, open } = await listening()
    await tell('machine-a', f.registered('a'))
    await tell('health-a', f.healthy('a'))
    await tell('machine-b', f.registered('b'))
    const ids = async (query: string, count: number) =>
      (await said(await open(`/v1/events/stream?after=0&${query}`), count)).map(({ id }) => id)
    expect(await ids('stream=machine', 2)).toEqual(['1', '3'])
    expect(await ids('stream=machine-b', 1)).toEqual(['3'])
    expect(await ids('type=MachineBecameHealthy', 1)).toEqual(['2'])
  })
  it('carries more than fits into what may wait for a reader', async () => {
    const { platform, open } = await listening()
    const cause = { actor: 'x', commandId: 'x', correlationId: 'x', causationId: null }
    const long = { ...f.disabled('a'), data: { machineId: 'a', reason: 'x'.repeat(4_000) } }
    for (let at = 0; at < 1_000; at += 100)
      await platform.store.append(
        'machine-a',
        at,
        Array.from({ length: 100 }, () => long),
        cause,
      )
    const messages = await said(await open('/v1/events/stream?after=0'), 1_000)
    expect(messages.at(-1)!.id).toBe('1000')
  })
})

describe('the log of a deployment', () => {
  async function printed() {
    const it = await listening()
    for (const id of ['m-1', 'm-2']) await it.tell(`machine-${id}`, f.registered(id))
    await it.tell(`deployment-${f.deploymentId}`, f.created(), f.dispatched('m-1'), f.dispatched('m-2'))
    await it.tell('tasklog-1', f.logged('m-1', 1, 'one\ntw'))
    await it.tell('tasklog-2', f.logged('m-2', 1, 'other\n'))
    await it.tell('tasklog-1', f.logged('m-1', 2, 'o\nend'))
    return it
  }
  it('is text, with lines as they were finished and where each comes from', async () => {
    const { get } = await printed()
    const { headers, text } = await get(log)
    expect(headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(text).toBe(
      '[m-1-name install] one\n[m-2-name install] other\n[m-1-name install] two\n[m-1-name install] end\n',
    )
  })
  it('is told of one task', async () => {
    const { get } = await printed()
    expect((await get(`${log}?task=${f.taskId('m-2')}`)).text).toBe('[m-2-name install] other\n')
  })
  it('is told whole when it is long', async () => {
    const { get, tell } = await printed()
    for (let chunk = 3; chunk < 250; chunk++) await tell('tasklog-1', f.logged('m-1', chunk, `${chunk}\n`))
    expect((await get(log)).text.split('\n')).toHaveLength(4 + 247)
  })
  it('is told live, until the deployment has ended', async () => {
    const { open, tell } = await printed()
    const reading = said(await open(log), 99)
    await tell('tasklog-2', f.logged('m-2', 2, 'more\n'))
    await tell(`deployment-${f.deploymentId}`, f.succeeded(['m-1', 'm-2']))
    const messages = await reading
    expect(messages.map(({ data }) => data.text)).toEqual(['one\ntw', 'other\n', 'o\nend', 'more\n', undefined])
    expect(messages[0]!.data).toEqual({
      taskId: f.taskId('m-1'),
      machineName: 'm-1-name',
      stepId: 'install',
      attempt: 1,
      text: 'one\ntw',
    })
    expect(messages.at(-1)!.event).toBe('end')
  })
  it('goes on where its reader lost it', async () => {
    const { open } = await printed()
    const first = await said(await open(log), 2)
    const rest = await said(await open(log, { 'last-event-id': first.at(-1)!.id }), 1)
    expect(rest.map(({ data }) => data.text)).toEqual(['o\nend'])
  })
  it('is that of a deployment that there is', async () => {
    const { get } = await api()
    expect(await get(log)).toMatchObject({ status: 404, body: { code: 'DEPLOYMENT_UNKNOWN' } })
  })
})
