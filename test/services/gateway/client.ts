import { sessionProof, type AgentFrame, type ServerFrame } from '#contracts/agent.ts'
import { makeKey, seedBytes, type MachineKey } from '#libs/machineKey.ts'
import { facts, type Control } from './control.ts'

export const keyOf = (seed: number): MachineKey => makeKey(new Uint8Array(seedBytes).fill(seed))

/** The agent's end of a session, in the hands of a test. */
export function connect({ gateway, clock, store }: Control, key: MachineKey) {
  const frames: ServerFrame[] = []
  const state = { closedFor: null as string | null }
  const session = gateway.openSession(
    (frame) => void frames.push(frame),
    (reason) => {
      state.closedFor = reason
    },
  )
  const ofType = <Type extends ServerFrame['type']>(type: Type) =>
    frames.filter((frame): frame is Extract<ServerFrame, { type: Type }> => frame.type === type)
  const hello = (more: Partial<Extract<AgentFrame, { type: 'hello' }>> = {}): AgentFrame => ({
    type: 'hello',
    protocol: 1,
    machineId: key.machineId,
    signature: key.sign(sessionProof(ofType('challenge')[0]!.nonce, key.machineId)),
    epoch: store.epoch,
    facts,
    attributes: {},
    ...more,
  })
  return {
    session,
    frames,
    ofType,
    hello,
    send: (frame: AgentFrame) => session.receive(frame),
    /** Says hello and waits for what follows. */
    async greet(more: Parameters<typeof hello>[0] = {}) {
      session.receive(hello(more))
      await clock.advance(0)
    },
    /** Answers the last ping. */
    pong: () => session.receive({ type: 'pong', id: ofType('ping').at(-1)!.id }),
    get closedFor() {
      return state.closedFor
    },
    get refusal() {
      return ofType('refused')[0]
    },
  }
}

/** A registered machine with a session. */
export async function connected(control: Control, seed = 1) {
  const key = keyOf(seed)
  await control.register(key.machineId, key.publicKey)
  await control.clock.advance(10)
  const client = connect(control, key)
  await client.greet()
  return Object.assign(client, { key, machineId: key.machineId })
}
