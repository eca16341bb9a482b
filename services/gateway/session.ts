import { Buffer } from 'node:buffer'
import { AgentFrame, agentProtocol, type ServerFrame } from '#contracts/agent.ts'
import { partitionOf } from '#contracts/partitions.ts'
import type { Timer } from '#libs/clock.ts'
import { admit, type Admission, type AdmissionNeeds, type Hello } from './admission.ts'
import type { Beats, Heard } from './beats.ts'
import { CheckResults } from './checkResults.ts'
import { isAlone, tellOtherGateways } from './doubles.ts'
import { FrameRate } from './frameRate.ts'
import { Pings } from './pings.ts'
import { Reporter } from './reports.ts'
import { Work } from './work.ts'

/** What the sessions of a gateway share. */
export interface Shared extends AdmissionNeeds {
  readonly beats: Beats
  /** Sessions that have been welcomed, by machine. */
  readonly live: Map<string, Session>
}

const nonceBytes = 32

/**
 * One agent's connection: it is challenged, says hello, is welcomed, and then heard until either side ends it. Who it
 * is follows from the signature of its hello, and nothing that it says later can change it.
 */
export class Session implements Heard {
  readonly #shared: Shared
  readonly #send: (frame: ServerFrame) => void
  readonly #close: (reason: string) => void
  readonly #nonce: string
  #late: Timer | undefined
  readonly #pings: Pings
  #state: 'challenged' | 'greeting' | 'live' | 'ended' = 'challenged'
  #work: Work | null = null
  #reporter: Reporter | null = null
  readonly #rate: FrameRate
  readonly #checks: CheckResults
  machineId = ''
  partition = 0
  batch = 0
  /** When the machine was last heard, by the steady clock. */
  heardMs = 0

  constructor(shared: Shared, send: (frame: ServerFrame) => void, close: (reason: string) => void) {
    const { clock, store } = shared.platform
    this.#shared = shared
    this.#send = send
    this.#close = close
    this.#pings = new Pings(clock, send)
    this.#rate = new FrameRate(shared.settings.framesPerSecondMax)
    this.#checks = new CheckResults(shared)
    this.#nonce = Buffer.from(clock.bytes(nonceBytes)).toString('base64url')
    const { helloWithinMs } = shared.settings
    this.#late = clock.timer(helloWithinMs, () => this.end('HELLO_LATE', `no hello within ${helloWithinMs} ms`, false))
    send({ type: 'challenge', nonce: this.#nonce, protocol: agentProtocol, epoch: store.epoch })
  }

  /** Takes a frame that is not yet looked at. */
  receive(raw: unknown): void {
    if (this.#state === 'ended' || !this.#isWithinRate(this.#shared.platform.clock.steadyMs())) return
    const parsed = AgentFrame.safeParse(raw)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      return this.end('FRAME_INVALID', `${issue?.path.join('.') || 'frame'}: ${issue?.message}`, false)
    }
    const frame = parsed.data
    const isExpected = frame.type === 'hello' ? this.#state === 'challenged' : this.#state === 'live'
    if (!isExpected) return this.end('FRAME_UNEXPECTED', `a ${frame.type} frame has no place here`, false)
    this.#take(frame)
  }

  /** Takes a heartbeat, which is told from other frames before anything is parsed: most frames are heartbeats. */
  heartbeat(): void {
    if (this.#state !== 'live') return this.receive({ type: 'heartbeat' })
    const nowMs = this.#shared.platform.clock.steadyMs()
    if (this.#isWithinRate(nowMs)) this.#hear(nowMs)
  }

  /** Resolves with the round trip in milliseconds; null when there is no answer within `timeoutMs`. */
  ping(timeoutMs: number): Promise<number | null> {
    return this.#pings.send(timeoutMs)
  }

  /** Where the machine belongs at this moment. */
  get environmentId(): string {
    return this.#shared.known.machine(this.machineId)?.environmentId ?? ''
  }

  get work(): Work | null {
    return this.#work
  }

  /** Tells the machine how often to give signs of life and what to check, again when that has changed. */
  welcome(returnedFrom: Extract<ServerFrame, { type: 'welcome' }>['returnedFrom'] = null): void {
    const terms = this.#shared.known.termsOf(this.machineId)
    this.#send({ type: 'welcome', machineId: this.machineId, ...terms, returnedFrom })
  }

  /** Says why, and closes. */
  end(code: string, detail: string, final: boolean): void {
    if (this.#state === 'ended') return
    this.#shared.platform.log.info({ machineId: this.machineId, code, detail }, 'a session is ended')
    this.#send({ type: 'refused', code, detail, final })
    this.#close(code)
    this.closed()
  }

  /** The connection is gone, for whatever reason. */
  closed(): void {
    if (this.#state === 'ended') return
    const { live, beats } = this.#shared
    this.#state = 'ended'
    this.#late?.cancel()
    this.#pings.stop()
    this.#work?.stop()
    this.#reporter?.stop()
    if (live.get(this.machineId) !== this) return
    live.delete(this.machineId)
    beats.closed(this)
  }

  #take(frame: AgentFrame): void {
    switch (frame.type) {
      case 'hello':
        return void this.#greet(frame)
      case 'heartbeat':
        return this.#hear()
      case 'pong':
        this.#pings.answered(frame.id)
        return this.#hear()
      case 'task-alive':
        this.#hear()
        return this.#work!.alive(frame.taskId)
      case 'check-result':
        this.#hear()
        if (this.#checks.take(frame, this)) return
        return this.end('TOO_MANY_FRAMES', 'more results of checks came in a second than may', false)
      case 'task-started':
      case 'task-log':
      case 'task-result':
        if (this.#reporter!.take(frame)) return
        return this.end('REPORTS_TOO_MANY', 'more task frames are under way than may be', false)
      case 'leaving':
        this.#shared.platform.log.info({ machineId: this.machineId, reason: frame.reason }, 'a machine takes its leave')
        this.#close('leaving')
        return this.closed()
    }
  }

  async #greet(hello: Hello): Promise<void> {
    this.#state = 'greeting'
    this.#late?.cancel()
    this.#late = undefined
    try {
      const admission = await admit(hello, this.#nonce, this.#shared)
      if (!admission.admitted) return this.end(admission.code, admission.detail, admission.final)
      if (await isAlone(this, hello.machineId, this.#shared)) this.#begin(hello.machineId, admission)
    } catch (error) {
      this.#shared.platform.log.error({ machineId: hello.machineId, error }, 'a hello could not be judged')
      this.end('SERVICE_UNAVAILABLE', 'The server cannot tell at the moment. Come again.', false)
    }
  }

  #begin(machineId: string, { returnedFrom }: Extract<Admission, { admitted: true }>): void {
    if (this.#state !== 'greeting') return
    const { platform, known, settings, live } = this.#shared
    const { tasks } = known
    this.machineId = machineId
    this.partition = partitionOf(machineId, settings.partitions)
    this.#state = 'live'
    live.set(machineId, this)
    this.welcome(returnedFrom)
    this.#hear()
    tellOtherGateways(this.#shared, machineId)
    const deploymentOf = (taskId: string) => tasks.get(taskId)?.deploymentId
    const common = { platform, machineId, send: this.#send }
    this.#reporter = new Reporter({ ...common, reportsMax: settings.reportsMax, deploymentOf })
    const work = new Work({ ...common, tasks })
    this.#work = work
    for (const task of tasks.of(machineId)) void work.handOut(task)
  }

  #hear(nowMs = this.#shared.platform.clock.steadyMs()): void {
    if (nowMs - this.heardMs < this.#shared.settings.heartbeatMinMs) return
    this.heardMs = nowMs
    this.#shared.beats.heard(this)
  }

  #isWithinRate(nowMs: number): boolean {
    if (this.#rate.take(nowMs)) return true
    const { framesPerSecondMax } = this.#shared.settings
    this.end('TOO_MANY_FRAMES', `more than ${framesPerSecondMax} frames in a second`, false)
    return false
  }
}
