import type { AgentFrame, ServerFrame } from '#contracts/agent.ts'
import { createFrameQueue } from '#services/agent/frameQueue.ts'
import type { AgentSocket } from '#services/agent/ports.ts'
import type { Gateway } from '#services/gateway/service.ts'
import { Channel } from './channel.ts'
import type { Context } from './context.ts'

const framesMax = 10_000
const connectMaxMs = 50
const connectTimeoutMs = 10_000
const probeMaxMs = 40
/** How often a connection outlives an interruption of the road, and how long it takes to get going again. */
const resumeShare = 0.6
const resumeMaxMs = 4_000

/** The frames by which a machine says nothing but that it is there. */
const signs: ReadonlySet<AgentFrame['type']> = new Set(['heartbeat', 'pong', 'task-alive', 'check-result'])

/** The server as seen from outside, while it runs. */
export interface Listening {
  readonly context: Context
  readonly gateway: Pick<Gateway, 'openSession'>
}

type OnSign = (machineId: string) => void
type OnFrame = (frame: ServerFrame) => void

/** The road between one machine and the server. */
export class Road {
  readonly #world: Context
  readonly #listening: () => Listening | null
  readonly onSign: OnSign
  readonly onFrame: OnFrame
  readonly #connections = new Set<Connection>()
  #isOpen = true

  /**
   * @param onSign called whenever a sign of life of a machine that is welcome reaches the server
   * @param onFrame called whenever the server tells the machine something
   */
  constructor(world: Context, listening: () => Listening | null, onSign: OnSign, onFrame: OnFrame) {
    this.#world = world
    this.#listening = listening
    this.onSign = onSign
    this.onFrame = onFrame
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Nothing gets through any more, and neither side is told. */
  block(): void {
    this.#isOpen = false
    for (const connection of this.#connections) connection.block()
  }

  unblock(): void {
    this.#isOpen = true
    for (const connection of [...this.#connections]) {
      if (this.#world.dice.chance() >= resumeShare) connection.breakOff()
      else this.#world.timer(this.#world.dice.chance() * resumeMaxMs, () => this.#isOpen && connection.unblock())
    }
  }

  /** The process at one end is gone. Whether the other end is told depends on whether its machine still runs. */
  lost(side: 'agent' | 'server', isTold: boolean): void {
    for (const connection of [...this.#connections]) {
      if (isTold && this.#isOpen) connection.hangUp(side)
      if (side === 'agent') this.#connections.delete(connection)
    }
  }

  async connect(agent: Context): Promise<AgentSocket> {
    await agent.clock.sleep(agent.dice.chance() * connectMaxMs)
    const server = this.#isOpen ? this.#listening() : null
    if (server === null || server.context.isPaused) {
      await agent.clock.sleep(this.#isOpen && server === null ? 1 : connectTimeoutMs)
      throw new Error('the server cannot be reached')
    }
    const connection = new Connection(agent, server, this, () => this.#connections.delete(connection))
    this.#connections.add(connection)
    return connection.socket
  }
}

/** One connection between an agent and a gateway. */
class Connection {
  readonly socket: AgentSocket
  readonly #up: Channel<AgentFrame>
  readonly #down: Channel<ServerFrame>
  readonly #closeAgent: () => void
  readonly #closeServer: () => void
  readonly #server: Listening
  readonly #agent: Context
  #isBlocked = false
  #isOver = false

  constructor(agent: Context, server: Listening, { onSign, onFrame }: Road, onEnd: () => void) {
    this.#agent = agent
    this.#server = server
    const frames = createFrameQueue(framesMax)
    this.#closeAgent = () => {
      this.#isOver = true
      frames.end()
      onEnd()
    }
    this.#down = new Channel<ServerFrame>(agent, (frame) => frames.push(frame), this.#closeAgent)
    // What a crashed process still does must not be seen by anyone.
    const tell = (frame: ServerFrame) => {
      onFrame(frame)
      this.#down.send(frame)
    }
    const session = server.gateway.openSession(
      (frame) => server.context.isDead || tell(frame),
      () => server.context.isDead || this.#down.end(),
    )
    this.#closeServer = () => session.closed()
    let machineId = ''
    const receive = (frame: AgentFrame) => {
      if (frame.type === 'hello') machineId = frame.machineId
      else if (signs.has(frame.type)) onSign(machineId)
      if (frame.type === 'heartbeat') session.heartbeat()
      else session.receive(frame)
    }
    this.#up = new Channel<AgentFrame>(server.context, receive, this.#closeServer)
    const send = (frame: AgentFrame) => agent.isDead || this.#up.send(frame)
    const close = () => {
      this.#up.end()
      this.#closeAgent()
    }
    this.socket = { send, frames, probe: () => this.#probe(), close }
  }

  block(): void {
    this.#isBlocked = true
    this.#up.block()
    this.#down.block()
  }

  unblock(): void {
    this.#isBlocked = false
    this.#up.unblock()
    this.#down.unblock()
  }

  /** Both ends are told that it is over; what was under way is lost. */
  breakOff(): void {
    this.#closeAgent()
    this.#server.context.timer(0, this.#closeServer)
  }

  /** One end is gone, and its system tells the other end so. */
  hangUp(side: 'agent' | 'server'): void {
    if (side === 'agent') this.#up.end()
    else this.#down.end()
  }

  async #probe(): Promise<void> {
    await this.#agent.clock.sleep(this.#agent.dice.chance() * probeMaxMs)
    const { context } = this.#server
    if (this.#isBlocked || this.#isOver || context.isDead || context.isPaused) await new Promise(() => {})
  }
}
