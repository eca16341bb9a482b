import { agentProtocol, ServerFrame, sessionProof } from '#contracts/agent.ts'
import type { Clock } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import type { Checks } from './checks/checks.ts'
import { startHeartbeat } from './heartbeat.ts'
import type { Identity } from './identity.ts'
import type { Journal } from './journal.ts'
import type { AgentSocket, ThisMachine } from './ports.ts'
import type { Reports } from './reports.ts'
import type { AgentSettings } from './settings.ts'
import type { Tasks } from './tasks.ts'

export type SessionEnd =
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string; readonly final: boolean }
  | { readonly kind: 'lost'; readonly why: string }

export interface SessionNeeds {
  readonly clock: Clock
  readonly log: Log
  readonly machine: ThisMachine
  readonly settings: AgentSettings
  readonly identity: Identity
  readonly journal: Journal
  readonly reports: Reports
  readonly tasks: Tasks
  readonly checks: Checks
  /** Called once the server has welcomed the machine. */
  readonly onWelcome: () => void
}

type Frame<Type extends ServerFrame['type']> = Extract<ServerFrame, { type: Type }>

/** A session in the making: what its parts share. */
interface Session {
  readonly socket: AgentSocket
  readonly needs: SessionNeeds
  /** What gives signs of life, until the session ends or the server asks for another pace. */
  pace: DisposableStack
  isWelcome: boolean
  end: SessionEnd
}

/** Runs one connection, from the server's challenge to its end, and answers why it ended. */
export async function runSession(socket: AgentSocket, needs: SessionNeeds): Promise<SessionEnd> {
  const { clock, log, settings, reports, checks } = needs
  const session: Session = {
    socket,
    needs,
    pace: new DisposableStack(),
    isWelcome: false,
    end: { kind: 'lost', why: 'the connection was closed' },
  }
  const giveUp = () => lose(session, 'the server did not welcome this machine in time')
  const late = clock.timer(settings.welcomeWithinMs, giveUp)
  using cleanUp = new DisposableStack()
  cleanUp.defer(() => session.pace.dispose())
  cleanUp.defer(() => late.cancel())
  cleanUp.defer(() => reports.detach())
  cleanUp.defer(() => checks.detach())

  for await (const raw of socket.frames) {
    const parsed = ServerFrame.safeParse(raw)
    if (parsed.data?.type === 'welcome') late.cancel()
    if (parsed.success) await take(parsed.data, session)
    // A newer server may say more than this agent understands; what it must understand comes in frames that it knows.
    else log.debug('a frame of the server was not understood')
  }
  return session.end
}

function lose(session: Session, why: string): void {
  session.end = { kind: 'lost', why }
  session.socket.close()
}

async function take(frame: ServerFrame, session: Session): Promise<void> {
  const { socket, needs } = session
  const { tasks, reports } = needs
  switch (frame.type) {
    case 'challenge':
      return answerChallenge(frame, session)
    case 'welcome':
      return beginLife(frame, session)
    case 'refused':
      session.end = { kind: 'refused', code: frame.code, detail: frame.detail, final: frame.final }
      return socket.close()
    case 'run':
      return tasks.take(frame.order)
    case 'cancel':
      return tasks.cancel(frame.taskId, frame.reason)
    case 'result-stored':
      return tasks.stored(frame.taskId)
    case 'log-stored':
      return reports.logStored(frame.taskId, frame.chunk)
    case 'ping':
      return socket.send({ type: 'pong', id: frame.id })
  }
}

async function answerChallenge({ nonce, protocol, epoch }: Frame<'challenge'>, { socket, needs }: Session) {
  const { identity, journal, log, machine, settings } = needs
  if (protocol !== agentProtocol) log.warn({ protocol, ours: agentProtocol }, 'the server speaks another protocol')
  if (epoch < journal.epoch) {
    log.warn({ epoch, seen: journal.epoch }, 'the server has fallen back behind what this machine has worked for')
  }
  await journal.seeEpoch(epoch)
  const machineId = identity.enrolled?.machineId ?? identity.key.machineId
  socket.send({
    type: 'hello',
    protocol: agentProtocol,
    machineId,
    signature: identity.key.sign(sessionProof(nonce, machineId)),
    epoch: journal.epoch,
    facts: machine.facts(),
    attributes: settings.attributes,
  })
}

/**
 * The server knows the machine: from now on it hears of it, and of everything that is still to be told. A server that
 * wants another pace or other checks says so by welcoming the machine again.
 */
function beginLife(welcome: Frame<'welcome'>, session: Session): void {
  const { machineId, heartbeatEveryMs, taskLeaseEveryMs, returnedFrom } = welcome
  const { socket } = session
  const { clock, log, reports, tasks, checks, onWelcome } = session.needs
  session.pace.dispose()
  session.pace = new DisposableStack()
  if (returnedFrom) {
    log.warn({ ...returnedFrom }, `this machine had been removed (${returnedFrom.reason}) and is registered again`)
  }
  const giveSigns = () => {
    for (const frame of tasks.signsOfLife()) socket.send(frame)
  }
  session.pace.use(startHeartbeat(clock, heartbeatEveryMs, () => socket.send({ type: 'heartbeat' })))
  session.pace.use(startHeartbeat(clock, taskLeaseEveryMs, giveSigns))
  watchServer(session)
  // An older server names none, and would end a session in which it is told of one.
  checks.set(machineId, welcome.checks ?? [])
  if (session.isWelcome) return
  session.isWelcome = true
  log.info({ machineId, heartbeatEveryMs }, 'connected')
  onWelcome()
  reports.attach(socket.send)
  checks.attach(socket.send)
}

/** A connection whose other end is gone can look open for a quarter of an hour, so the server is asked now and then. */
function watchServer(session: Session): void {
  const { clock, settings } = session.needs
  let isAnswered = true
  const ask = async () => {
    isAnswered = false
    await session.socket.probe()
    isAnswered = true
  }
  const check = () => {
    if (!isAnswered) return lose(session, 'the server does not answer')
    // What fails here is a socket that is ending, which its reader hears of.
    ask().catch(() => {})
  }
  session.pace.use(startHeartbeat(clock, settings.serverSilentMs, check))
}
