import type { AcceptedAnswer, Answer } from '#contracts/command.ts'
import { factSchemas } from '#contracts/facts.ts'
import type { Cause } from '#contracts/message.ts'
import { webhookStream } from '#contracts/subjects.ts'
import { signerOf, WebhookCommand, WebhookEvent } from '#contracts/webhook.ts'
import type { Deliveries, WebhookTested } from '#contracts/webhookRows.ts'
import { answerCommands } from '#libs/ask.ts'
import type { Subscription } from '#libs/bus/bus.ts'
import { isRefusal, refuse, type Refusal } from '#libs/decider.ts'
import { uuidOf } from '#libs/ids.ts'
import type { Platform } from '#libs/platform.ts'
import { secretIdOf, type Vault } from '#libs/vault/vault.ts'
import type { WebhookRequest } from './decider.ts'
import type { Dispatch, DispatchOptions } from './dispatch.ts'
import { testNotification } from './notification.ts'
import { refusedUrl } from './post.ts'

const webhooksMax = 100
/** Somebody waits for what comes of a test. */
const testMs = 5_000
const ownTypes: readonly string[] = WebhookEvent.options.map((option) => option.unwrap().shape.type.value)

interface Inboxed extends Pick<DispatchOptions, 'handler'> {
  readonly dispatch: Dispatch
  readonly allow: readonly string[]
  readonly vault: Vault | undefined
  readonly timeoutMs: number
}

/** Takes the commands about webhooks from the bus, until it is stopped. */
export function startInbox({ bus, clock }: Platform, options: Inboxed): Subscription {
  const { dispatch, handler } = options
  const find = async (webhookId: string) => (await handler.load(webhookStream(webhookId))).state
  const unknown = (webhookId: string) => refuse('WEBHOOK_UNKNOWN', `There is no webhook ${webhookId}.`)
  const decide = (command: WebhookRequest, cause: Cause) => decideFor(options, command, cause)
  return answerCommands(
    bus,
    'notify',
    {
      CreateWebhook: async (command, cause) =>
        tooMany(dispatch) ?? unfit(command.data, options.allow) ?? (await decide(command, cause)),
      ChangeWebhook: async (command, cause) => unfit(command.data, options.allow) ?? (await decide(command, cause)),
      RotateWebhookSecret: decide,
      EnableWebhook: decide,
      DisableWebhook: decide,
      DeleteWebhook: decide,
      TestWebhook: async ({ data: { webhookId } }, { commandId }) => {
        const webhook = await find(webhookId)
        if (webhook.settings === null) return unknown(webhookId)
        // The same request has the same id, however often it has to be asked.
        const test = testNotification(webhookId, uuidOf(commandId), clock.wallMs())
        const never = new AbortController().signal
        const withinMs = Math.min(testMs, options.timeoutMs)
        const { status, detail } = await dispatch.send(webhookId, webhook, test, never, withinMs)
        const delivered = status !== null && status >= 200 && status < 300
        return tell({ delivered, status, detail } satisfies WebhookTested)
      },
      ListDeliveries: async ({ data: { webhookId } }) => {
        if ((await find(webhookId)).settings === null) return unknown(webhookId)
        const { waiting = 0, nextAttemptAtMs = null } = dispatch.line(webhookId) ?? {}
        const nextAttemptAt = nextAttemptAtMs === null ? null : new Date(nextAttemptAtMs).toISOString()
        return tell({ waiting, nextAttemptAt, items: dispatch.records.of(webhookId) } satisfies Deliveries)
      },
    },
    WebhookCommand,
  )
}

const tell = (result: AcceptedAnswer['result']): Answer => ({ accepted: true, position: 0, result })

async function decideFor({ handler, vault }: Inboxed, command: WebhookRequest, cause: Cause): Promise<Answer> {
  const { webhookId } = command.data
  const stream = webhookStream(webhookId)
  const before = await handler.load(stream)
  const handled = await handler.handle(stream, command, cause)
  if (isRefusal(handled)) return handled
  const { state } = await handler.load(stream)
  // What signs no more is nobody's any more. Said again, it is taken away again.
  if (state.status === 'deleted') await vault?.destroy(secretIdOf(signerOf(webhookId)))
  const kept = state.secrets.map(({ version }) => version)
  for (const secret of before.state.secrets)
    if (state.status !== 'deleted' && !kept.includes(secret.version)) await vault?.discard(secret)
  const secretStored = 'secret' in command.data && kept.includes(command.data.secret.version)
  return { accepted: true, position: handled.position, result: { webhookId, secretStored } }
}

const tooMany = ({ count }: Dispatch): Refusal | null =>
  count < webhooksMax ? null : refuse('WEBHOOKS_TOO_MANY', `There are ${count} webhooks; delete one first.`)

/** What only this process can say of a webhook: which addresses are allowed, and which events there are. */
function unfit(
  { url, eventTypes = [] }: { readonly url?: string | undefined; readonly eventTypes?: readonly string[] | undefined },
  allow: readonly string[],
): Refusal | null {
  const refused = url === undefined ? null : refusedUrl(url, allow)
  if (refused !== null) return refuse('WEBHOOK_ADDRESS_REFUSED', refused)
  const strange = eventTypes.find((type) => !factSchemas.has(type) || ownTypes.includes(type))
  if (strange === undefined) return null
  const why = ownTypes.includes(strange) ? 'Webhooks do not tell of webhooks' : 'There are no events of this type'
  return refuse('WEBHOOK_INVALID', `eventTypes: ${why}: ${strange}.`)
}
