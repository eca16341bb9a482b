import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { listen } from '#libs/http/http.ts'
import { as } from '#test/support/http.ts'
import { clientOf } from '../cli/support.ts'
import { follow } from '../../../services/cli/sse.ts'
import { tail } from '../../../services/console/app/logTail.ts'
import { api } from './api.ts'
import * as f from './facts.ts'

const log = `/v1/deployments/${f.deploymentId}/log`
const again = { ...f.dispatched('m-1', 2) }

/** Two machines that have printed, one of them on its second try. */
async function printed() {
  const stage = await api()
  for (const id of ['m-1', 'm-2']) await stage.tell(`machine-${id}`, f.registered(id))
  await stage.tell(`deployment-${f.deploymentId}`, f.created(), f.dispatched('m-1'), f.dispatched('m-2'), again)
  await stage.tell('tasklog-1', f.logged('m-1', 1, 'one\n\u001b[31mtw'))
  await stage.tell('tasklog-2', f.logged('m-2', 1, 'other\n'))
  await stage.tell('tasklog-1', f.logged('m-1', 2, 'o\u001b[0m\n'))
  await stage.tell('tasklog-3', {
    ...f.logged('m-1', 1, 'anew\n'),
    data: { ...f.logged('m-1', 1, 'anew\n').data, taskId: f.taskId('m-1', 2) },
  })
  return stage
}

describe('the log of a deployment as text', () => {
  it('keeps colours, and says where each line is from and on which try', async () => {
    const { get } = await printed()
    expect((await get(log)).text).toBe(
      '[m-1-name install] one\n[m-2-name install] other\n[m-1-name install] \u001b[31mtwo\u001b[0m\n[m-1-name install #2] anew\n',
    )
  })
  it.each([
    ['machine=m-2', 'other\n'],
    ['machine=m-1-name', 'one\n\u001b[31mtwo\u001b[0m\nanew\n'],
    ['machine=nobody', ''],
    ['step=install&machine=m-2-name', 'other\n'],
    ['step=check', ''],
    [`task=${f.taskId('m-1', 2)}`, 'anew\n'],
  ])('is told of %s only, and without where it is from when that is clear', async (query, text) => {
    const { get } = await printed()
    expect((await get(`${log}?${query}&raw=true`)).text).toBe(text)
  })
  it('is a file with a plain name when it is to be kept', async () => {
    const { get } = await printed()
    const name = async (query: string) => (await get(`${log}?download=true${query}`)).headers['content-disposition']
    expect(await name('')).toBe(`attachment; filename="${f.deploymentId}.log"`)
    expect(await name('&machine=m-2')).toBe(`attachment; filename="${f.deploymentId}_m-2.log"`)
    expect(await name('&machine=%22%0D%0Aset-cookie:%20x')).not.toMatch(/[\r\n]|cookie:/)
    expect((await get(log)).headers['content-disposition']).toBeUndefined()
  })
  it('begins behind a position', async () => {
    const { get, query } = await printed()
    expect((await get(`${log}?after=${query.position - 1}`)).text).toBe('[m-1-name install #2] anew\n')
    expect((await get(`${log}?after=-1`)).status).toBe(400)
  })
  it('tells a line without an end in parts, so that it fills no memory', async () => {
    const { get, tell } = await printed()
    const half = 'x'.repeat(40 * 1024)
    for (let chunk = 2; chunk < 6; chunk++) await tell('tasklog-2', f.logged('m-2', chunk, half))
    const lines = (await get(`${log}?machine=m-2`)).text.split('\n').slice(1, -1)
    expect(lines.map(({ length }) => length)).toEqual(Array(2).fill('[m-2-name install] '.length + 80 * 1024))
  })
})

describe('a reader of a log whose connection breaks again and again', () => {
  const linesOf = (count: number) => Array.from({ length: count }, (_, at) => `line ${at}\n`)

  async function broken(chunks: readonly string[], cuts: readonly number[]) {
    const stage = await printed()
    for (const [at, text] of chunks.entries()) await stage.tell('tasklog-2', f.logged('m-2', at + 2, text))
    await stage.tell(`deployment-${f.deploymentId}`, f.succeeded(['m-1', 'm-2']))
    const { url } = await listen(stage.app, { port: 0 })
    let opened = 0
    /** The answer, cut off after some bytes, wherever that is; whole when there are no cuts any more. */
    const open = async (lastId: string | null, signal: AbortSignal): Promise<Response> => {
      const headers = {
        ...as('reader'),
        accept: 'text/event-stream',
        ...(lastId !== null && { 'last-event-id': lastId }),
      }
      const response = await fetch(`${url}${log}?machine=m-2`, { headers, signal })
      const cut = cuts[opened++]
      return cut === undefined ? response : new Response(response.body!.pipeThrough(cutAfter(cut)))
    }
    return { open, url, opened: () => opened }
  }

  function cutAfter(bytesMax: number) {
    let left = bytesMax
    return new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        controller.enqueue(bytes.slice(0, left))
        left -= bytes.length
        if (left < 0) controller.error(new Error('cut off'))
      },
    })
  }

  it('is told every line once and in order by the console', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2_000), { maxLength: 6 }), async (cuts) => {
        const { open, opened } = await broken(linesOf(25), cuts)
        let text = ''
        const onPiece = (piece: { text: string }) => (text += piece.text)
        const settings = { open, onPiece, sleep: () => Promise.resolve(), chance: () => 0, onProblem: () => {} }
        await tail(settings, AbortSignal.timeout(20_000))
        expect(text).toBe(`other\n${linesOf(25).join('')}`)
        expect(opened()).toBeGreaterThan(0)
      }),
      { numRuns: 4 },
    )
  }, 60_000)

  it('is told every line once and in order on the command line', async () => {
    const { url } = await broken(linesOf(60), [])
    const cuts = [700, 90, 1_500]
    const client = { ...clientOf(url), open: cutting(url, cuts) }
    const texts: string[] = []
    for await (const { data, event } of follow(client, 'log', {
      signal: AbortSignal.timeout(20_000),
      isLast: ({ event }) => event === 'end',
    }))
      if (event !== 'end') texts.push((JSON.parse(data) as { text: string }).text)
    expect(texts.join('')).toBe(`other\n${linesOf(60).join('')}`)
    expect(cuts).toEqual([])
  }, 30_000)

  const cutting =
    (url: string, cuts: number[]) =>
    async (_: string, asked: { headers?: Readonly<Record<string, string>> }, signal: AbortSignal) => {
      const response = await fetch(`${url}${log}?machine=m-2`, {
        headers: { ...asked.headers, ...as('reader') },
        signal,
      })
      const cut = cuts.shift()
      return cut === undefined ? response : new Response(response.body!.pipeThrough(cutAfter(cut)))
    }
})
