import { Buffer } from 'node:buffer'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { WebSocket } from 'ws'
import { enrollmentProof, EnrollReply, EnrollRequest, type ServerFrame } from '#contracts/agent.ts'
import type { EnrollMachine } from '#contracts/enrollment.ts'
import type { Ask } from '#libs/ask.ts'
import { hashSecret, parseToken } from '#libs/auth.ts'
import { refuse } from '#libs/decider.ts'
import { causeOf, sendAnswer, sendRefusal } from '#libs/http/answer.ts'
import { machineIdOf, verifySignature } from '#libs/machineKey.ts'
import type { AgentSession, Gateway } from './service.ts'

export interface GatewayRouteOptions {
  readonly ask: Ask
  /** Absent where agents are not served: then only enrolment is. */
  readonly gateway?: Pick<Gateway, 'openSession'>
}

/** What may wait for an agent that does not read, before it counts as gone. */
const backlogMaxBytes = 16 * 1024 * 1024
const policyViolation = 1008
const heartbeatBytes = Buffer.from('{"type":"heartbeat"}')

/** The agents' two doors. Both are open to everyone, and both ask for a proof. */
export const gatewayRoutes =
  ({ ask, gateway }: GatewayRouteOptions): FastifyPluginAsyncZod =>
  async (app) => {
    app.post('/v1/agent/enroll', { config: { public: true }, schema: enrolSchema }, async (request, reply) => {
      const { token, signature, ...wanted } = request.body
      const parts = parseToken(token)
      if (parts?.kind !== 'join') return sendRefusal(reply, refuse('ENROLLMENT_UNKNOWN', 'This is no join token.'))
      const { publicId: enrollmentId, secret } = parts
      if (!verifySignature(wanted.publicKey, enrollmentProof(wanted.publicKey, enrollmentId), signature)) {
        return sendRefusal(reply, refuse('CREDENTIAL_INVALID', 'The signature is not made with the key that is shown.'))
      }
      // Roles and environment follow from the token; the id follows from the key.
      const machineId = machineIdOf(wanted.publicKey)
      const data = { ...wanted, enrollmentId, secretHash: hashSecret(secret), machineId }
      const command: EnrollMachine = { type: 'EnrollMachine', data }
      return sendAnswer(reply, await ask('registry', command, causeOf(request, `machine:${machineId}`)))
    })

    if (!gateway) return
    const schema = { hide: true, tags: ['agent'], summary: 'The session of an agent, over a WebSocket' }
    const route = { websocket: true, config: { public: true }, schema, preHandler: forgetResponse } as const
    app.get('/v1/agent', route, (socket) => connect(socket, gateway))
  }

const enrolSchema = {
  tags: ['agent'],
  summary: 'Enrol a machine with a join token',
  body: EnrollRequest,
  response: { 200: EnrollReply },
}

/** An upgraded connection gives no response, but would keep it, and the request with it, for as long as it lasts. */
async function forgetResponse(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (request.ws) reply.raw.detachSocket(request.raw.socket)
}

function connect(socket: WebSocket, gateway: Pick<Gateway, 'openSession'>): void {
  const send = (frame: ServerFrame) => {
    if (socket.readyState !== WebSocket.OPEN) return
    if (socket.bufferedAmount > backlogMaxBytes) return socket.terminate()
    socket.send(JSON.stringify(frame))
  }
  const session = gateway.openSession(send, (reason) => socket.close(policyViolation, reason))
  // The listener that is there holds on to the request as well: some KiB for each machine that is connected.
  socket.removeAllListeners('error')
  socket.on('error', () => socket.terminate())
  socket.on('message', (data: Buffer) => take(data, session))
  socket.on('close', () => session.closed())
}

function take(data: Buffer, session: AgentSession): void {
  if (data.length === heartbeatBytes.length && data.equals(heartbeatBytes)) return session.heartbeat()
  session.receive(parse(data))
}

function parse(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'))
  } catch {
    return null
  }
}
