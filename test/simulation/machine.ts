import { enrollmentProof, type EnrollReply, type ServerFrame } from '#contracts/agent.ts'
import { hashSecret, parseToken } from '#libs/auth.ts'
import { machineIdOf, verifySignature } from '#libs/machineKey.ts'
import { silentLog } from '#libs/log.ts'
import { runAgent } from '#services/agent/agent.ts'
import type { AgentFiles, AgentPorts, CheckRunner, Enroller } from '#services/agent/ports.ts'
import { defaultLimits } from '#services/agent/settings.ts'
import type { VirtualClock } from '#test/support/virtualClock.ts'
import { Context, seedOf } from './context.ts'
import { MachineDisk } from './machineDisk.ts'
import { Road } from './network.ts'
import { createRunner, passingChecks } from './script.ts'
import type { Server } from './server.ts'
import type { Truth } from './truth.ts'

/** A machine that starts again may have got a new agent in the meantime. */
const bootsPerVersion = 3

export interface MachineOptions {
  readonly world: VirtualClock
  readonly stage: Context
  readonly server: Server
  readonly truth: Truth
  readonly name: string
  readonly zone: string
  readonly token: string
  readonly roles: readonly string[]
  readonly seed: number
  readonly tamper: (files: AgentFiles) => AgentFiles
  /** Makes the checks of the policy; every check passes when it is left out. */
  readonly checkRunner?: CheckRunner
  /** The machine whose disk this one is a copy of, down to what tells installations apart. */
  readonly original?: Machine
  readonly onTrouble: (what: string) => void
}

/** A machine with its disk, its road to the server, and the agent that runs on it, or does not. */
export class Machine {
  readonly name: string
  readonly road: Road
  readonly #options: MachineOptions
  readonly #disk: MachineDisk
  #context: Context | null = null
  #stop = new AbortController()
  #boots = 0
  #key = ''

  constructor(options: MachineOptions) {
    this.#options = options
    this.name = options.name
    const { stage, server, truth, original } = options
    this.#disk = original === undefined ? new MachineDisk() : original.#disk.copy()
    this.#key = original === undefined ? '' : original.#key
    const heard = (machineId: string) => truth.heard(machineId)
    const told = (frame: ServerFrame) => frame.type === 'result-stored' && truth.acknowledged.add(frame.taskId)
    this.road = new Road(stage, server.listening, heard, told)
  }

  get isOn(): boolean {
    return this.#context !== null
  }

  /** Known once its agent has joined. */
  get machineId(): string {
    return this.#key === '' ? '' : machineIdOf(this.#key)
  }

  boot(): void {
    if (this.#context !== null) return
    const { world, seed, name } = this.#options
    this.#boots += 1
    const context = new Context(world, name, seedOf(seed, name, this.#boots))
    this.#context = context
    this.#stop = new AbortController()
    void this.#run(context, this.#stop.signal)
  }

  /** The agent dies where it stands; with its machine, what was not yet on disk is lost as well. */
  crash(withPower: boolean): void {
    const context = this.#context
    if (context === null) return
    this.#context = null
    context.kill()
    if (withPower) this.#disk.losePower(this.#options.stage.dice.chance)
    this.road.lost('agent', !withPower)
  }

  /** The agent is asked to stop, and does so in its own time. */
  stop(): void {
    this.#stop.abort()
  }

  async #run(context: Context, stop: AbortSignal): Promise<void> {
    try {
      await context.own(runAgent(this.#ports(context), this.#settings(), stop))
      if (!stop.aborted) throw new Error('it ended without being asked')
      if (this.#context === context) this.crash(false)
    } catch (error) {
      this.#options.onTrouble(`the agent of ${this.name} gave up: ${String(error)}`)
    }
  }

  #settings() {
    const { name, token, zone, roles } = this.#options
    const limits = { ...defaultLimits, serverSilentMs: 60_000 }
    return { ...limits, token: () => Promise.resolve(token), name, roles, attributes: { zone } }
  }

  #ports(context: Context): AgentPorts {
    const { name, truth, tamper, checkRunner = passingChecks, original } = this.#options
    const machine = { hostname: name, os: 'linux', arch: 'x64', cpus: 2, memoryBytes: 1, addresses: ['10.0.0.1'] }
    const facts = { ...machine, agentVersion: String(Math.ceil(this.#boots / bootsPerVersion)) }
    return {
      clock: context.clock,
      transport: { connect: () => context.own(this.road.connect(context)) },
      enroller: this.#enroller(context),
      files: tamper(this.#disk.open(context)),
      runner: createRunner(context, () => this.machineId, truth),
      checkRunner,
      packages: { prepare: () => Promise.reject(new Error('nothing in the simulation has a package')) },
      machine: { fingerprint: () => Promise.resolve(original?.name ?? name), facts: () => facts },
      log: silentLog,
    }
  }

  /** What the HTTP route does, without HTTP. */
  #enroller(context: Context): Enroller {
    const { server } = this.#options
    const join: Enroller['enroll'] = async ({ token, signature, ...wanted }) => {
      await context.clock.sleep(context.dice.chance() * 50)
      if (!this.road.isOpen) throw new Error('the server cannot be reached')
      const { publicId: enrollmentId, secret } = parseToken(token)!
      if (!verifySignature(wanted.publicKey, enrollmentProof(wanted.publicKey, enrollmentId), signature))
        throw new Error('the signature is not valid')
      const machineId = machineIdOf(wanted.publicKey)
      const data = { ...wanted, enrollmentId, secretHash: hashSecret(secret), machineId }
      const commandId = context.clock.id()
      const cause = { actor: `machine:${machineId}`, commandId, correlationId: commandId, causationId: null }
      const answer = await server.ask('registry', { type: 'EnrollMachine', data }, cause)
      if ('refused' in answer) return answer
      return { ...(answer.result as unknown as EnrollReply), position: answer.position }
    }
    return {
      enroll: (request) => {
        this.#key = request.publicKey
        return context.own(join(request))
      },
    }
  }
}
