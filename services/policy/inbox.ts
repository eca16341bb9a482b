import type { Answer } from '#contracts/command.ts'
import type { Cause, Message } from '#contracts/message.ts'
import { PolicyCommand } from '#contracts/policy.ts'
import { answerCommands, type Ask } from '#libs/ask.ts'
import { BusFault, type Subscription } from '#libs/bus/bus.ts'
import { isRefusal, refuse } from '#libs/decider.ts'
import type { Platform } from '#libs/platform.ts'
import type { PolicyRequest } from './decider.ts'
import type { Reconciler } from './reconciler.ts'
import type { DecidedRemoval } from './state.ts'

type Data<Type extends PolicyCommand['type']> = Extract<PolicyCommand, { type: Type }>['data']
const done: Answer = { accepted: true, position: 0, result: {} }

/** What persons may ask of policy, and how its own decisions are carried out by the services whose matter it is. */
export function startInbox(platform: Platform, reconciler: Reconciler): Subscription {
  const inbox = new Inbox(platform, reconciler)
  return answerCommands(
    platform.bus,
    'policy',
    {
      ReleaseWithheldRemovals: ({ data }, cause) => inbox.decide({ type: 'ReleaseWithheld', ...data }, cause),
      CloseReleaseCircuit: ({ data }, cause) => inbox.decide({ type: 'CloseCircuit', ...data }, cause),
      RevertDecision: ({ data }, cause) =>
        inbox.decide({ type: 'RevertDecision', ...data, nowMs: platform.clock.steadyMs() }, cause),
      CarryOutRemoval: ({ data }, cause) => inbox.remove(data, cause),
    },
    PolicyCommand,
  )
}

class Inbox {
  readonly #platform: Platform
  readonly #reconciler: Reconciler

  constructor(platform: Platform, reconciler: Reconciler) {
    this.#platform = platform
    this.#reconciler = reconciler
  }

  async decide(request: PolicyRequest, cause: Cause): Promise<Answer> {
    const { environmentId } = request
    if (this.#reconciler.known.world.policyOf(environmentId) === undefined)
      return refuse('ENVIRONMENT_UNKNOWN', `there is no environment ${environmentId}`)
    const handled = await this.#reconciler.request(request, cause)
    if (isRefusal(handled)) return handled
    const touched = handled.facts.flatMap(({ data }) => ('machineIds' in data ? data.machineIds : []))
    return { accepted: true, position: handled.position, result: { machineIds: touched } }
  }

  async remove({ environmentId, machineId, decisionId }: Data<'CarryOutRemoval'>, cause: Cause): Promise<Answer> {
    const { state } = await this.#reconciler.load(environmentId)
    const removal = state.removals.get(machineId)
    if (removal?.decisionId !== decisionId || removal.abandonedAt !== null) return done
    // The machine may have come back while the decision was on its way: whoever listens to it has the last word.
    const confirm = { type: 'ConfirmUnavailable', data: { machineId } }
    const confirmed = await this.#ask('health', confirm, follow(cause, 'confirm'))
    const removed =
      'refused' in confirmed
        ? confirmed
        : await this.#ask('registry', deregistration(machineId, removal), follow(cause, 'remove'))
    if (!('refused' in removed)) return removed
    const { detail } = removed
    return this.decide({ type: 'AbandonRemoval', environmentId, machineId, detail, nowMs: this.#nowMs() }, cause)
  }

  /** A service that is not there has certainly done nothing: that is an answer, and the decision is made anew later. */
  async #ask(...[service, command, cause]: Parameters<Ask>): Promise<Answer> {
    try {
      return await this.#platform.ask(service, command, cause)
    } catch (error) {
      if (!(error instanceof BusFault) || error.reason !== 'no-responders') throw error
      return refuse('SERVICE_UNAVAILABLE', `${service} is not there`)
    }
  }

  #nowMs(): number {
    return this.#platform.clock.steadyMs()
  }
}

const follow = (cause: Cause, suffix: string): Cause => ({ ...cause, commandId: `${cause.commandId}/${suffix}` })

function deregistration(machineId: string, removal: DecidedRemoval): Message {
  const { decisionId, rule, observedMs, thresholdMs, unavailableSince, policyVersion, deploymentId } = removal
  const seconds = (ms: number) => `${Math.round(ms / 1000)} s`
  const reason =
    rule === 'unavailable'
      ? `it did not answer for ${seconds(observedMs)} of observed time; the policy removes after ${seconds(thresholdMs)}`
      : 'it could not be contacted when a deployment needed it'
  const kind = rule === 'unavailable' ? 'policy' : 'not-contactable'
  const evidence = { rule, unavailableSince, observedMs, thresholdMs }
  const data = { machineId, cause: { kind, reason, decisionId, deploymentId }, evidence, policyVersion }
  return { type: 'DeregisterMachine', data }
}
