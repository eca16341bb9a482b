import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { enrollmentProof, sessionProof, type EnrollRequest, type ServerFrame } from '#contracts/agent.ts'
import { makeToken } from '#libs/auth.ts'
import { listen } from '#libs/http/http.ts'
import { systemClock } from '#libs/systemClock.ts'
import { gatewayRoutes } from '#services/gateway/routes.ts'
import { testHttp } from '#test/support/http.ts'
import { keyOf } from './client.ts'
import { facts, startRealControl } from './control.ts'

async function start() {
  const control = await startRealControl()
  const app = await testHttp(
    (http) => void http.register(gatewayRoutes({ ask: control.ask, gateway: control.gateway })),
  )
  return { control, app }
}

function request(seed: number, more: Partial<EnrollRequest> = {}, enrollmentId = 'e1'): EnrollRequest {
  const key = keyOf(seed)
  const { token } = makeToken(systemClock, 'join', enrollmentId)
  const signature = key.sign(enrollmentProof(key.publicKey, enrollmentId))
  return { token, name: 'web-1', roles: ['web'], publicKey: key.publicKey, signature, facts, attributes: {}, ...more }
}

describe('POST /v1/agent/enroll', () => {
  const post = (app: Awaited<ReturnType<typeof start>>['app'], payload: object) =>
    app.inject({ method: 'POST', url: '/v1/agent/enroll', payload })

  it('lets in who shows a join token and the proof of a key', async () => {
    const { control, app } = await start()
    const reply = await post(app, request(1))
    expect(reply.statusCode).toBe(200)
    expect(reply.json()).toMatchObject({ machineId: keyOf(1).machineId, environmentId: 'production', name: 'web-1' })
    expect(control.commands('EnrollMachine')[0]).toMatchObject({
      cause: { actor: `machine:${keyOf(1).machineId}` },
      command: { data: { enrollmentId: 'e1', machineId: keyOf(1).machineId } },
    })
    expect(JSON.stringify(control.asked)).not.toContain('rmd_join')
  })

  it.each([
    [
      'signed with another key',
      { signature: keyOf(2).sign(enrollmentProof(keyOf(1).publicKey, 'e1')) },
      401,
      'CREDENTIAL_INVALID',
    ],
    [
      'signed for another token',
      { signature: keyOf(1).sign(enrollmentProof(keyOf(1).publicKey, 'e2')) },
      401,
      'CREDENTIAL_INVALID',
    ],
    ['with a token that is none', { token: 'rmd_join_e1_short' }, 401, 'ENROLLMENT_UNKNOWN'],
    [
      'with a token for something else',
      { token: makeToken(systemClock, 'admin', 'e1').token },
      401,
      'ENROLLMENT_UNKNOWN',
    ],
    ['with an id of its own choice', { machineId: 'm-other' }, 400, 'REQUEST_INVALID'],
    ['with a key that is none', { publicKey: 'abc' }, 400, 'REQUEST_INVALID'],
  ])('refuses what is %s, and asks nobody', async (_, more, status, code) => {
    const { control, app } = await start()
    const reply = await post(app, { ...request(1), ...more })
    expect([reply.statusCode, reply.json().code]).toEqual([status, code])
    expect(control.asked).toEqual([])
  })

  it('passes on the registry’s refusal', async () => {
    const { app } = await start()
    const reply = await post(app, request(1, {}, 'unknown'))
    expect([reply.statusCode, reply.json().code]).toEqual([401, 'ENROLLMENT_UNKNOWN'])
  })
})

describe('GET /v1/agent', () => {
  async function open(app: Awaited<ReturnType<typeof start>>['app']) {
    const { url } = await listen(app, { port: 0 })
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/agent`)
    const frames: ServerFrame[] = []
    socket.on('message', (data) => void frames.push(JSON.parse(String(data)) as ServerFrame))
    socket.on('error', () => {})
    const next = async (type: ServerFrame['type']) => {
      for (;;) {
        const found = frames.find((frame) => frame.type === type)
        if (found) return found
        await once(socket, 'message')
      }
    }
    return { socket, frames, next }
  }

  it('carries a session: challenge, hello, welcome, heartbeats', async () => {
    const { control, app } = await start()
    const key = keyOf(1)
    await control.register(key.machineId, key.publicKey)
    const { socket, next } = await open(app)
    const challenge = (await next('challenge')) as Extract<ServerFrame, { type: 'challenge' }>
    const { machineId } = key
    const signature = key.sign(sessionProof(challenge.nonce, machineId))
    socket.send(JSON.stringify({ type: 'hello', protocol: 1, machineId, signature, epoch: 1, facts, attributes: {} }))
    await next('welcome')
    expect(control.gateway.connected()).toBe(1)
    await systemClock.sleep(300)
    const before = control.heard().length
    socket.send('{"type":"heartbeat"}')
    while (control.heard().length === before) await systemClock.sleep(10)
    expect(control.heard()).toContain(machineId)
    socket.close()
    while (control.gateway.connected() > 0) await systemClock.sleep(10)
  })

  it.each([
    ['that is no JSON', 'hello?', 'FRAME_INVALID'],
    ['before the hello', '{"type":"heartbeat"}', 'FRAME_UNEXPECTED'],
  ])('ends with a frame %s', async (_, text, code) => {
    const { app } = await start()
    const { socket, next } = await open(app)
    await next('challenge')
    socket.send(text)
    const [closeCode, reason] = (await once(socket, 'close')) as [number, Buffer]
    expect([closeCode, String(reason)]).toEqual([1008, code])
  })

  it('ends with a frame that is too large, before it is read', async () => {
    const { app } = await start()
    const { socket, next } = await open(app)
    await next('challenge')
    socket.send('x'.repeat(2 * 1024 * 1024))
    const [closeCode] = (await once(socket, 'close')) as [number]
    expect([1009, 1006]).toContain(closeCode)
  })
})
