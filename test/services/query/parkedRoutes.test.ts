import { describe, expect, it } from 'vitest'
import type { Reactor } from '#libs/reactor.ts'
import { startReactor } from '#libs/reactor.ts'
import { as } from '#test/support/http.ts'
import { api } from './api.ts'

const stream = 'project-shop'
const fact = { type: 'ProjectCreated', data: { projectId: 'shop', name: 'Shop' } }

describe('an event that could not be acted upon', () => {
  const parked = async () => {
    const server = await api()
    const { platform } = server
    let isBroken = true
    const reactor: Reactor<null, typeof fact> = {
      name: 'broken.v1',
      observes: ['ProjectCreated'],
      initial: null,
      evolve: () => null,
      react() {
        if (isBroken) throw new Error('a mistake of ours')
        return []
      },
    }
    const run = startReactor({ reactor, ...platform })
    const position = await server.tell(stream, fact)
    await run.reached(position, 5_000)
    const mend = () => (isBroken = false)
    const retry = (name: string, at: number) =>
      server.app.inject({ method: 'POST', url: `/v1/parked/${name}/${at}/retry`, headers: as('writer') })
    return { ...server, run, position, mend, retry }
  }

  it('is listed with the reason, and tried again when a person says so', async () => {
    const { get, position, mend, retry, run } = await parked()
    const { body } = await get('/v1/parked')
    expect(body.items).toMatchObject([{ reactor: 'broken.v1', position, stream, reason: 'a mistake of ours' }])

    expect((await retry('broken.v1', position)).json()).toEqual({ settled: false })
    mend()
    expect((await retry('broken.v1', position)).json()).toEqual({ settled: true })
    expect((await get('/v1/parked')).body.items).toEqual([])
    await run[Symbol.asyncDispose]()
  })

  it('has to be there', async () => {
    const { position, retry, run } = await parked()
    expect((await retry('other.v1', position)).json()).toMatchObject({ code: 'PARKED_UNKNOWN', status: 404 })
    await run[Symbol.asyncDispose]()
  })
})
