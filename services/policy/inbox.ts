import type { Answer } from '#contracts/command.ts'
import type { Cause } from '#contracts/message.ts'
import { PolicyCommand } from '#contracts/policy.ts'
import { answerCommands, type Ask } from '#libs/ask.ts'
import { BusFault, type Subscription } from '#libs/bus/bus.ts'
import { isRefusal, refuse } from '#libs/decider.ts'
import type { Platform } from '#libs/platform.ts'
import type { PolicyRequest } from './decider.ts'
import { deregistration } from './deregistration.ts'
import type { Poller } from './provider/poller.ts'
import type { Questions } from './questions.ts'
import type { Reconciler } from './reconciler.ts'
import type { DecidedRemoval } from './state.ts'

type Data<Type extends PolicyCommand['type']> = Extract<PolicyCommand, { type: Type }>['data']
const done: Answer = { accepted: true, position: 0, result: {} }

/** Those who answer what changes nothing. */
interface Answering {
  readonly poller: Pick<Poller, 'rows' | 'group'>
  readonly questions: Questions
}

/** What persons may ask of policy, and how its own decisions are carried out by the services whose matter it is. */
export function startInbox(platform: Platform, reconciler: Reconciler, { poller, questions }: Answering): Subscription {
  const inbox = new Inbox(platform, reconciler)
  return answerCommands(
    platform.bus,
    'policy',
    {
      ReleaseWithheldRemovals: ({ data }, cause) => inbox.decide({ type: 'ReleaseWithheld', ...data }, cause),
      CloseReleaseCircuit: ({ data }, cause) => inbox.decide({ type: 'CloseCircuit', ...data }, cause),
      RevertDecision: ({ data }, cause) =>
        inbox.decide({ type: 'RevertDecision', ...data, nowMs: platform.clock.steadyMs() }, cause),
      BacktestPolicy: ({ data }, cause) => questions.backtest(data, cause),
      WhatIf: ({ data }, cause) => questions.whatIf(data, cause),
      ExplainRemoval: ({ data }) => questions.explain(data),
      CarryOutRemoval: ({ data }, cause) => inbox.remove(data, cause),
      ListProviders: async () => ({ accepted: true, position: 0, result: { items: poller.rows() } }),
      ListGroup: async ({ data: { environmentId, group, since } }) => ({
        ...{ accepted: true, position: 0, result: { group: poller.group(environmentId, group, since) } },
      }),
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

  /**
   * Carries out a removal. Between the decision and this moment the machine may have come back, many others may have
   * fallen silent, or a person may have taken the decision back: all of it is asked again, the last just before acting.
   */
  async remove(data: Data<'CarryOutRemoval'>, cause: Cause): Promise<Answer> {
    const { environmentId, machineId } = data
    const { world } = this.#reconciler.known
    const removal = await this.#standing(data)
    if (removal === null || world.member(machineId)?.registered === false) return done
    // Whoever listens to the machine has the last word on whether it answers.
    const confirm = { type: 'ConfirmUnavailable', data: { machineId, rule: removal.rule } }
    const confirmed = await this.#ask('health', confirm, follow(cause, 'confirm'))
    if ('refused' in confirmed) return this.#giveUp(environmentId, machineId, confirmed.detail, cause)

    const again: PolicyRequest = {
      type: 'LookAgain',
      ...data,
      world,
      ...this.#reconciler.moment(),
      newId: this.#newId(),
    }
    const looked = await this.#reconciler.request(again, follow(cause, 'look-again'))
    if (isRefusal(looked)) return looked
    if ((await this.#standing(data)) === null) return done

    const { provider = null } = world.policyOf(environmentId)?.policy.dynamicRegistration ?? {}
    const removed = await this.#ask('registry', deregistration(removal, provider), follow(cause, 'remove'))
    return 'refused' in removed ? this.#giveUp(environmentId, machineId, removed.detail, cause) : removed
  }

  /** The removal that was decided, unless it has been given up or taken back, or another one was decided since. */
  async #standing({ environmentId, machineId, decisionId }: Data<'CarryOutRemoval'>): Promise<DecidedRemoval | null> {
    const { state } = await this.#reconciler.load(environmentId)
    const removal = state.removals.get(machineId)
    return removal?.decisionId === decisionId && removal.abandonedAt === null ? removal : null
  }

  #giveUp(environmentId: string, machineId: string, detail: string, cause: Cause): Promise<Answer> {
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

  #newId(): string {
    return this.#platform.clock.id()
  }
}

const follow = (cause: Cause, suffix: string): Cause => ({ ...cause, commandId: `${cause.commandId}/${suffix}` })
