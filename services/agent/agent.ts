import { Checks } from './checks/checks.ts'
import { connectOnce, countFailure, delayMs, explain, newLine, type Line, type Working } from './connection.ts'
import { enrol } from './enroll.ts'
import { loadIdentity, type Identity } from './identity.ts'
import { openJournal } from './journal.ts'
import type { AgentPorts } from './ports.ts'
import { Reports } from './reports.ts'
import type { SessionEnd } from './session.ts'
import type { AgentSettings } from './settings.ts'
import { Tasks } from './tasks.ts'

const deliveryCheckMs = 50

/**
 * Runs the agent until it is asked to stop: enrols the machine if need be, keeps one connection to the server, runs
 * the tasks that it is given and reports them. Whatever fails on the way is tried again.
 * @param stop aborted when the agent shall stop; running tasks are then ended and reported first
 * @throws IdentityFault when the data folder cannot be used
 */
export async function runAgent(ports: AgentPorts, settings: AgentSettings, stop: AbortSignal): Promise<void> {
  const { clock, files, log } = ports
  let identity = await loadIdentity(ports, (await settings.token()) !== null)
  const journal = await openJournal(files, settings.journal, log)
  const reports = new Reports(settings)
  const tasks = new Tasks({ ...ports, key: identity.key, journal, reports, settings })
  await tasks.recover()
  const checks = new Checks({ ...ports, settings })
  await ports.checkRunner.clearAway()

  const working = { journal, reports, tasks, checks }
  const line = newLine()
  const closing = new AbortController()
  const untilStopped = async () => {
    await aborted(stop)
    await wrapUp(ports, settings, line, working)
    closing.abort()
    line.socket?.close()
  }
  const stopped = untilStopped()

  while (!closing.signal.aborted) {
    const end = identity.enrolled ? await connectOnce(ports, settings, identity, line, working, closing.signal) : null
    if (closing.signal.aborted) break
    if (end) explain(end, line, ports)
    // Whom the server has shut out is none of its machines any more.
    if (end?.kind === 'refused' && end.final) checks.set('', [])
    if (end === null || wantsEnrolment(end, line)) {
      const before = identity
      identity = await enrolOnce(ports, settings, identity, line)
      if (identity !== before) await journal.forgetEpoch()
    }
    await clock.sleep(delayMs(ports, settings, line), closing.signal)
  }
  await stopped
}

/** Ends what runs, tries to deliver the results, and says goodbye. */
async function wrapUp(
  { clock }: AgentPorts,
  settings: AgentSettings,
  line: Line,
  { tasks, reports, checks }: Working,
): Promise<void> {
  await Promise.all([tasks.stop(), checks.stop()])
  const deadlineMs = clock.steadyMs() + settings.deliverMs
  while (line.isWelcome && !reports.isEmpty && clock.steadyMs() < deadlineMs) await clock.sleep(deliveryCheckMs)
  if (line.isWelcome) line.socket?.send({ type: 'leaving', reason: 'the agent was asked to stop' })
}

/** Another enrolment does not help two machines that use one key. */
const wantsEnrolment = (end: SessionEnd, line: Line) =>
  end.kind === 'refused' && end.final && end.code !== 'MACHINE_KEY_SHARED' && line.mayEnrolAgain

async function enrolOnce(
  ports: AgentPorts,
  settings: AgentSettings,
  identity: Identity,
  line: Line,
): Promise<Identity> {
  if (identity.enrolled && (await settings.token()) === null) return identity
  const enrolment = await enrol(ports, settings, identity)
  switch (enrolment.outcome) {
    case 'enrolled':
      line.failures = 0
      line.mayEnrolAgain = false
      return enrolment.identity
    case 'refused':
      line.failures = 'refused'
      line.mayEnrolAgain = identity.enrolled === null
      ports.log.error(`this machine cannot be enrolled: ${enrolment.why}`)
      return identity
    case 'unreachable':
      countFailure(line)
      ports.log.warn({ failures: line.failures }, `cannot enrol yet, trying again: ${enrolment.why}`)
      return identity
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
