import type { EnrollReply } from '#contracts/agent.ts'
import { enrollmentProof, EnrollRequest } from '#contracts/agent.ts'
import type { EnrollMachine } from '#contracts/enrollment.ts'
import { hashSecret, parseToken } from '#libs/auth.ts'
import type { Clock } from '#libs/clock.ts'
import { machineIdOf, verifySignature } from '#libs/machineKey.ts'
import { createFrameQueue } from '#services/agent/frameQueue.ts'
import type { AgentSocket, AgentTransport, Enroller } from '#services/agent/ports.ts'
import type { Control } from '../gateway/control.ts'

const latencyMs = 1

/** A network between an agent and a gateway, in memory, that can be cut while both ends think it is there. */
export function createNetwork(control: Pick<Control, 'gateway' | 'ask'>, clock: Clock) {
  const state = { isDown: false, isCut: false, connections: 0, framesSent: [] as string[] }
  const later = (run: () => void) => clock.timer(latencyMs, () => state.isCut || run())
  const sockets = new Set<AgentSocket>()

  const transport: AgentTransport = {
    async connect() {
      await clock.sleep(latencyMs)
      if (state.isDown || state.isCut) throw new Error('connection refused')
      state.connections += 1
      const frames = createFrameQueue(1_000)
      let isClosed = false
      const session = control.gateway.openSession(
        // Through JSON, as over a wire, so that nothing is shared.
        (frame) => later(() => frames.push(JSON.parse(JSON.stringify(frame)))),
        () => later(() => frames.end()),
      )
      const socket: AgentSocket = {
        frames,
        send(frame) {
          if (isClosed) return
          state.framesSent.push(frame.type)
          later(() => session.receive(JSON.parse(JSON.stringify(frame))))
        },
        probe: () => new Promise((resolve) => later(() => later(resolve))),
        close() {
          isClosed = true
          frames.end()
          later(() => session.closed())
        },
      }
      sockets.add(socket)
      return socket
    },
  }

  const enroller: Enroller = {
    async enroll(request) {
      await clock.sleep(latencyMs)
      if (state.isDown) throw new Error('connection refused')
      const { token, signature, ...wanted } = EnrollRequest.parse(request)
      const { publicId: enrollmentId, secret } = parseToken(token)!
      if (!verifySignature(wanted.publicKey, enrollmentProof(wanted.publicKey, enrollmentId), signature)) {
        return { refused: 'CREDENTIAL_INVALID', detail: 'signed with another key' }
      }
      const data = { ...wanted, enrollmentId, secretHash: hashSecret(secret), machineId: machineIdOf(wanted.publicKey) }
      const command: EnrollMachine = { type: 'EnrollMachine', data }
      const cause = { actor: 'machine', commandId: clock.id(), correlationId: 'c', causationId: null }
      const answer = await control.ask('registry', command, cause)
      if ('refused' in answer) return answer
      return { ...answer.result, position: answer.position } as EnrollReply
    },
  }

  return {
    transport,
    enroller,
    state,
    /** Ends every connection, as a server that restarts does. */
    drop() {
      for (const socket of sockets) socket.close()
      sockets.clear()
    },
  }
}
