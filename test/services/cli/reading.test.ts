import { describe, expect, it, vi } from 'vitest'
import { deploymentRow, machineRow } from './rows.ts'
import { jsonOf, problem, runCli, serve, startCli } from './support.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const page = (items: readonly object[], next: string | null = null) => ({ items, next })

/** A fleet in which two machines have the same name. */
const fleet = () =>
  serve((app) => {
    const old = machineRow('m-9', { name: 'old-01', registered: false })
    const machines = [
      machineRow('m-1', { name: 'web-01' }),
      machineRow('m-2', { name: 'web-02', environmentId: 'staging' }),
      machineRow('m-3', { name: 'web-02', status: 'unavailable' }),
    ]
    app.get<{ Params: { id: string } }>('/v1/machines/:id', ({ params: { id } }, reply) => {
      const found = [...machines, old].find((machine) => machine.id === id)
      return found ?? reply.code(404).send(problem(404, 'MACHINE_UNKNOWN', `There is no machine ${id}.`))
    })
    app.get<{ Querystring: { q?: string; environment?: string } }>(
      '/v1/machines',
      ({ query: { q = '', environment } }) =>
        page(
          machines.filter(
            ({ name, environmentId }) => name.includes(q) && (environment ?? environmentId) === environmentId,
          ),
        ),
    )
    app.get('/v1/environments', () => page([{ id: 'production' }, { id: 'staging' }]))
    app.get<{ Params: { id: string } }>('/v1/environments/:id/removed', ({ params: { id } }) =>
      page(id === 'staging' ? [old] : []),
    )
    app.get('/v1/machines/m-9/history', () => page([]))
    app.get('/v1/machines/m-9/explain', () => ({ machineId: 'm-9', state: [], removal: null, projects: [] }))
    app.post<{ Params: { id: string } }>('/v1/machines/:id/restore', ({ params, body }) => ({ ...params, body }))
  })

describe('a list', () => {
  it('is a table for people: aligned, without colours or ages in a pipe', async () => {
    const { code, stdout, stderr } = await runCli(['machine', 'list'], { server: await fleet() })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      'ID   NAME    ENVIRONMENT  STATE        SINCE                     ROLES  RELEASES',
      'm-1  web-01  production   healthy      2026-11-23T08:00:00.000Z  web    -',
    ])
  })
  it('is exactly what the API answers for programs', async () => {
    const server = await fleet()
    const answer: unknown = await (await fetch(`${server}/v1/machines`)).json()
    expect(await jsonOf(['machine', 'list'], { server })).toEqual(answer)
  })
  it('says that there is more, and reads all of it when asked', async () => {
    const server = await serve((app) => {
      app.get<{ Querystring: { cursor?: string } }>('/v1/projects/shop/releases', ({ query: { cursor } }) =>
        page(
          [
            {
              version: cursor ?? '0',
              process: { steps: [] },
              targetRoles: [],
              packages: [],
              notes: '',
              createdBy: 'me',
            },
          ],
          cursor === '2' ? null : cursor === '1' ? '2' : '1',
        ),
      )
    })
    const first = await runCli(['release', 'list', 'shop'], { server })
    expect(first.stderr).toContain('--cursor 1')
    expect(await jsonOf(['release', 'list', 'shop', '--all'], { server })).toMatchObject({
      items: [{ version: '0' }, { version: '1' }, { version: '2' }],
      next: null,
    })
  })
  it('prints what changes when it is watched in a pipe', async () => {
    let asked = 0
    const server = await serve((app) => {
      app.get('/v1/machines', () =>
        page([machineRow('m-1', { status: asked++ < 3 ? 'healthy' : 'unavailable' }), machineRow('m-2')]),
      )
    })
    const { child, said, ended } = startCli(['machine', 'list', '--watch', '--every', '20ms'], { server })
    await vi.waitFor(() => expect(said.stdout).toContain('unavailable'), 30_000)
    child.kill('SIGINT')
    const { code, stdout } = await ended
    expect([code, stdout.match(/^m-\d\s/gm)]).toEqual([130, ['m-1 ', 'm-2 ', 'm-1 ']])
    expect(stdout).toMatch(/m-1 .* unavailable .*\n$/)
  })
  it.each([
    ['machine', '--status', 'unavailable, disabled'],
    ['deploy', '--state', 'failed, cancelled'],
  ])('of each %s takes no %s that there is not', async (noun, flag, some) => {
    const { code, stderr } = await runCli([noun, 'list', flag, 'sideways'])
    expect([code, stderr]).toEqual([2, expect.stringContaining(some)])
  })
  it('is watched no longer than asked for', async () => {
    const args = ['machine', 'list', '--watch', '--every', '20ms', '--timeout', '50ms']
    expect((await runCli(args, { server: await fleet() })).code).toBe(0)
  })
})

describe('a machine', () => {
  it('can be given by its id or its name', async () => {
    const server = await fleet()
    const byName = await jsonOf(['machine', 'get', 'web-01'], { server })
    expect(byName).toMatchObject({ id: 'm-1' })
    expect(await jsonOf(['machine', 'get', 'm-1'], { server })).toEqual(byName)
  })
  it('is told from another of the same name by its environment', async () => {
    const server = await fleet()
    const { code, stderr } = await runCli(['machine', 'get', 'web-02'], { server })
    expect(code).toBe(2)
    expect(stderr).toBe(
      'error MACHINE_AMBIGUOUS: web-02 is the name of 2 machines: m-2 (web-02 in staging), m-3 (web-02 in production).\n' +
        'next: give the id of one of them, or --environment\n',
    )
    expect(await jsonOf(['machine', 'get', 'web-02', '--environment', 'staging'], { server })).toMatchObject({
      id: 'm-2',
    })
  })
  it('that does not exist is told with those near it', async () => {
    const { code, stderr } = await runCli(['machine', 'get', 'web'], { server: await fleet() })
    expect(code).toBe(3)
    expect(stderr).toMatch(
      /^error MACHINE_UNKNOWN: There is no machine web\. Near it: m-1 \(web-01 in production\), .*\nnext: /,
    )
  })
  it('that was removed is found by its name to be restored', async () => {
    const server = await fleet()
    const reply = await jsonOf(['machine', 'restore', 'old-01', '--reason', 'a mistake'], { server })
    expect(reply).toEqual({ id: 'm-9', body: { reason: 'a mistake' } })
  })
})

describe('a machine that was removed', () => {
  it.each(['get', 'explain', 'history'])('is found by its name to be asked about: %s', async (verb) => {
    const server = await fleet()
    const { code, stderr } = await runCli(['machine', verb, 'old-01', '-o', 'json'], { server })
    expect([code, stderr]).toEqual([0, ''])
    const elsewhere = await runCli(['machine', verb, 'old-01', '--environment', 'production'], { server })
    expect([elsewhere.code, elsewhere.stderr]).toEqual([3, expect.stringContaining('no machine old-01 in production')])
  })
})

describe('a machine that is asked for a sign of life', () => {
  it.each([
    [{ answered: true, roundTripMs: 4 }, 'web-01 answers, within 4 ms.\n'],
    [{ answered: false, roundTripMs: null }, 'web-01 does not answer.\n'],
  ])('is told to answer or not: %o', async (result, sentence) => {
    const server = await serve((app) => {
      app.get('/v1/machines/m-1', () => machineRow('m-1', { name: 'web-01' }))
      app.post('/v1/machines/m-1/check', () => ({ position: 0, ...result }))
    })
    expect(await runCli(['machine', 'check', 'm-1'], { server })).toMatchObject({ code: 0, stdout: sentence })
  })
})

describe('a machine to be restored', () => {
  it("that is registered is the server's to refuse", async () => {
    const server = await serve((app) => {
      app.get('/v1/environments', () => page([]))
      app.get('/v1/machines/web-01', (_, reply) => reply.code(404).send(problem(404, 'MACHINE_UNKNOWN', 'No such.')))
      app.get('/v1/machines', () => page([machineRow('m-1', { name: 'web-01' })]))
      app.post('/v1/machines/m-1/restore', (_, reply) =>
        reply.code(409).send(problem(409, 'MACHINE_NOT_REMOVED', 'It is registered.')),
      )
    })
    const { code, stderr } = await runCli(['machine', 'restore', 'web-01'], { server })
    expect([code, stderr]).toEqual([2, expect.stringContaining('error MACHINE_NOT_REMOVED: It is registered.')])
  })
})

describe('events', () => {
  it('are followed as lines of JSON, from where one was', async () => {
    const asked: unknown[] = []
    const server = await serve((app) => {
      app.get('/v1/events/stream', ({ query }, reply) => {
        asked.push(query)
        reply.hijack()
        reply.raw.writeHead(200)
        for (const position of [8, 9, 10]) reply.raw.write(`id: ${position}\ndata: ${JSON.stringify({ position })}\n\n`)
      })
    })
    const args = ['events', 'follow', '--after', '7', '--type', 'MachineRegistered', '--count', '2', '-o', 'json']
    const { code, stdout } = await runCli(args, { server })
    expect([code, stdout]).toEqual([0, '{"position":8}\n{"position":9}\n'])
    expect(asked).toEqual([{ after: '7', type: 'MachineRegistered' }])
  })
  it('are followed until Ctrl-C, which ends with 130 and says nothing', async () => {
    const server = await serve((app) => {
      app.get('/v1/events/stream', (_, reply) => {
        reply.hijack()
        reply.raw.writeHead(200)
        reply.raw.write(
          `data: ${JSON.stringify({ type: 'MachineRegistered', stream: 'machine-a', data: {}, actor: 'me', time: 'now', position: 1 })}\n\n`,
        )
      })
    })
    const { child, ended } = startCli(['events', 'follow'], { server })
    child.stdout.once('data', () => child.kill('SIGINT'))
    const { code, stdout, stderr } = await ended
    expect([code, stderr]).toEqual([130, ''])
    expect(stdout).toContain('MachineRegistered')
  })
})

describe('a log', () => {
  const server = () =>
    serve((app) => {
      app.get('/v1/deployments/d-1', () => deploymentRow('succeeded'))
      app.get('/v1/deployments/d-1/log', (request, reply) => {
        if (request.headers.accept === 'text/plain') return reply.type('text/plain').send('one\ntwo\n')
        reply.hijack()
        reply.raw.writeHead(200)
        const piece = (text: string) =>
          `data: ${JSON.stringify({ text, taskId: 't', machineName: 'web-01', stepId: 'install' })}\n\n`
        return reply.raw.write(`${piece('one\nt')}${piece('wo\nthree')}event: end\ndata: {}\n\n`)
      })
    })
  it('is shown as it is', async () => {
    const { code, stdout } = await runCli(['deploy', 'log', 'd-1'], { server: await server() })
    expect([code, stdout]).toEqual([0, 'one\ntwo\n'])
  })
  it('is followed to its end, and every line says where it is from', async () => {
    const { code, stdout } = await runCli(['deploy', 'log', 'd-1', '--follow'], { server: await server() })
    expect([code, stdout]).toEqual([0, '[web-01 install] one\n[web-01 install] two\n[web-01 install] three\n'])
  })
})

describe('what is parked', () => {
  const request = {
    number: 179_000_000_000_042,
    type: 'CreateRelease',
    code: 'REQUEST_INVALID',
    detail: 'data.version: is missing',
    actor: 'token:ci',
    source: null,
    eventId: null,
    payload: '{}',
    payloadBytes: 2,
    parkedAt: '2026-11-23T08:00:00.000Z',
  }
  const event = { reactor: 'r.v1', position: 7, stream: 'machine-a', type: 'T', reason: 'no', attempts: 3 }
  const start = () =>
    serve((app) => {
      app.get('/v1/parked', () => ({ items: [{ ...event, parkedAt: request.parkedAt }] }))
      app.get('/v1/parked/requests', () => ({ items: [request], dropped: 5 }))
      app.post<{ Params: { position: string } }>('/v1/parked/r.v1/:position/retry', ({ params }) => ({
        settled: params.position === '7',
      }))
      app.delete<{ Params: { number: string } }>('/v1/parked/requests/:number', ({ params }) => ({
        dismissed: params.number === String(request.number),
      }))
    })

  it('is shown: requests of others, and how many are gone', async () => {
    const { code, stdout, stderr } = await runCli(['parked', 'requests'], { server: await start() })
    expect([code, stderr]).toEqual([0, '5 older ones had to make room.\n'])
    expect(stdout.split('\n')[1]).toBe(
      '179000000000042  CreateRelease  token:ci  -       2026-11-23T08:00:00.000Z  REQUEST_INVALID  data.version: is missing',
    )
  })
  it('is shown: events', async () => {
    const { stdout } = await runCli(['parked', 'events'], { server: await start() })
    expect(stdout).toContain('r.v1     7         machine-a')
  })
  it('is seen to', async () => {
    const server = await start()
    const said = async (...args: string[]) => (await runCli(['parked', ...args], { server })).stdout
    expect(await said('retry', 'r.v1', '7')).toBe('The event at 7 is settled.\n')
    expect(await said('retry', 'r.v1', '8')).toBe('The event at 8 failed again and stays parked.\n')
    expect(await said('dismiss', '179000000000042')).toBe('Request 179000000000042 is off the list.\n')
    expect(await said('dismiss', '1')).toBe('No request 1 is parked.\n')
  })
})
