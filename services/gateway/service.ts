import type { ServerFrame } from '#contracts/agent.ts'
import { returnsByItself } from '#contracts/machine.ts'
import type { Recorded } from '#contracts/message.ts'
import { startConsumer } from '#libs/consume.ts'
import type { Platform } from '#libs/platform.ts'
import { Beats } from './beats.ts'
import { quarantined, watchOtherGateways } from './doubles.ts'
import { startInbox } from './inbox.ts'
import { Known, type Followed, type KnownMachine, type News } from './known.ts'
import { Session, type Shared } from './session.ts'
import { gatewayDefaults, type GatewaySettings } from './settings.ts'

export interface AgentSession {
  /** Takes a frame of the agent, as it came. */
  receive(frame: unknown): void
  /** Takes a heartbeat that the socket has recognised by its bytes: the same as `receive`, for less. */
  heartbeat(): void
  /** The connection is gone. */
  closed(): void
}

export interface Gateway extends AsyncDisposable {
  /**
   * Begins to talk with an agent whose connection is open.
   * @param send hands a frame to the agent
   * @param close ends the connection; the reason is one word
   */
  openSession(send: (frame: ServerFrame) => void, close: (reason: string) => void): AgentSession
  /** The key of a machine that is registered; null when there is none. */
  publicKeyOf(machineId: string): string | null
  /** How many machines have a session. */
  connected(): number
  /** Resolves with the fault after which the gateway no longer follows the store; never, as long as all goes on. */
  readonly failure: Promise<Error>
}

/** The agents' side of the control plane. Holds no truth: what it knows it has read, and what it hears it passes on. */
export async function startGateway(
  platform: Platform,
  given: Partial<GatewaySettings> & Pick<GatewaySettings, 'gatewayId'>,
): Promise<Gateway> {
  const settings: GatewaySettings = { ...gatewayDefaults, ...given }
  const { store, bus, clock, log } = platform
  await using stack = new AsyncDisposableStack()
  const known = new Known()
  const live = new Map<string, Session>()
  const open = new Set<Session>()

  const handle = (events: readonly Recorded[]) => {
    for (const event of events) {
      const news = known.apply(event as Recorded<Followed>)
      if (news) tell(news, live)
    }
  }
  const beats = stack.use(new Beats(clock, bus, settings))
  const consumer = stack.use(startConsumer({ name: 'gateway', store, bus, clock, log, after: 0, handle }))
  const head = await store.head()
  if (!(await consumer.reached(head, settings.catchUpMs))) {
    throw new Error(`the gateway has read up to position ${consumer.position} of ${head} in ${settings.catchUpMs} ms`)
  }
  const shared: Shared = { platform, known, consumer, settings, beats, live }
  const inbox = startInbox(shared)
  stack.defer(() => inbox.stop())
  stack.defer(watchOtherGateways(shared))
  stack.defer(sweep(shared))
  stack.defer(() => endAll(open))
  const resources = stack.move()

  return {
    openSession: (send, close) => openSession(shared, open, send, close),
    publicKeyOf: (machineId) => registeredKey(known.machine(machineId)),
    connected: () => live.size,
    failure: consumer.failure,
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  }
}

function openSession(
  shared: Shared,
  open: Set<Session>,
  send: (frame: ServerFrame) => void,
  close: (reason: string) => void,
) {
  const session = new Session(shared, send, (reason) => {
    open.delete(session)
    close(reason)
  })
  if (open.size >= shared.settings.sessionsMax) {
    session.end('SESSIONS_TOO_MANY', 'This gateway has as many sessions as it can take. Come again.', false)
  } else open.add(session)
  return {
    receive: (frame: unknown) => session.receive(frame),
    heartbeat: () => session.heartbeat(),
    closed() {
      open.delete(session)
      session.closed()
    },
  }
}

const registeredKey = (machine: KnownMachine | undefined): string | null =>
  machine?.removal === null ? machine.publicKey : null

/** Agents come back by themselves, to this gateway or to another. */
function endAll(open: Set<Session>): void {
  for (const session of [...open]) session.end('SERVER_STOPPING', 'The server is stopping. Come again.', false)
}

/** What has happened concerns sessions that are open. */
function tell(news: News, live: ReadonlyMap<string, Session>): void {
  switch (news.kind) {
    case 'removed': {
      const { kind, reason } = news.cause
      return live
        .get(news.machineId)
        ?.end('MACHINE_REMOVED', `The machine was removed (${kind}): ${reason}`, !returnsByItself(news.cause))
    }
    case 'quarantined': {
      const { code, detail, final } = quarantined(news.machineId, news.detail)
      return live.get(news.machineId)?.end(code, detail, final)
    }
    case 'key-changed':
      return live.get(news.machineId)?.end('CREDENTIAL_INVALID', 'The machine has another key now.', true)
    case 'terms-changed':
      return live.get(news.machineId)?.welcome()
    case 'terms-changed-of-all':
      for (const session of live.values()) if (session.environmentId === news.environmentId) session.welcome()
      return
    case 'task':
      return void live.get(news.task.machineId)?.work?.handOut(news.task)
    case 'cancel':
      return live.get(news.task.machineId)?.work?.cancel(news.task.taskId, news.reason)
  }
}

/** Ends sessions of machines that have fallen silent: their connections are dead, whatever the system says. */
function sweep({ platform: { clock }, settings, known, live }: Shared): () => void {
  let lastMs = clock.steadyMs()
  const look = () => {
    timer = clock.timer(settings.sweepMs, look)
    const nowMs = clock.steadyMs()
    const isLate = nowMs - lastMs > 2 * settings.sweepMs
    lastMs = nowMs
    // It was us who did nothing: what machines have sent in the meantime has still to be read.
    if (isLate) return
    for (const session of [...live.values()]) {
      const silentMaxMs =
        known.paceOf(session.environmentId).heartbeatEveryMs * settings.silentIntervals + settings.sweepMs
      if (nowMs - session.heardMs > silentMaxMs) session.end('SILENT', `nothing was heard for ${silentMaxMs} ms`, false)
    }
  }
  let timer = clock.timer(settings.sweepMs, look)
  return () => timer.cancel()
}
