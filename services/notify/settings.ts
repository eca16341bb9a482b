import { z } from 'zod'
import { timeSpan, wholeNumber } from '#libs/config.ts'
import { isAllowance } from '#libs/outbound/addresses.ts'

const dayMs = 86_400_000
const timeoutMostMs = 60_000
const giveUpMostMs = 30 * dayMs
const failuresMost = 1_000
const waitingMost = 100_000

/** How notifications are delivered: what one call may take, and what happens when it fails. */
export interface DeliveryLimits {
  readonly timeoutMs: number
  /** The wait after the first failure; it doubles up to the ceiling, which also bounds what a receiver may ask for. */
  readonly baseMs: number
  readonly delayMaxMs: number
  /** One that has waited for so long is given up when it fails once more. */
  readonly giveUpMs: number
  /** So many given up in a row disable the webhook. */
  readonly failuresMax: number
  /** So many wait for one receiver; the oldest make room for newer ones. */
  readonly waitingMax: number
}

export const deliveryDefaults: DeliveryLimits = {
  timeoutMs: 10_000,
  baseMs: 1_000,
  delayMaxMs: 15 * 60_000,
  giveUpMs: dayMs,
  failuresMax: 5,
  waitingMax: 1_000,
}

/** Said by the administrator beside addresses: receivers may be spoken to without encryption. */
export const plainWord = 'http'

/** The settings of the server that are about webhooks, as `REMUDA_WEBHOOK_ALLOW` and so on. */
export const webhookConfig = {
  webhookAllow: z
    .string()
    .transform((list) => list.split(',').map((text) => text.trim()))
    .refine((list) => list.every((text) => text === plainWord || isAllowance(text)), 'no list of what is allowed')
    .default([])
    .describe('what webhooks may do that they may not otherwise: be sent in the clear, or to this server or its cloud')
    .meta({ accepted: 'http, addresses, subnets, loopback, link-local; several divided by commas' }),
  webhookTimeoutMs: timeSpan(1, timeoutMostMs)
    .default(deliveryDefaults.timeoutMs)
    .describe('how long the receiver of a webhook may take to answer'),
  webhookRetryMs: timeSpan(1, deliveryDefaults.delayMaxMs)
    .default(deliveryDefaults.baseMs)
    .describe('how long is waited after the first failure of a webhook; it doubles with each'),
  webhookGiveUpMs: timeSpan(1, giveUpMostMs)
    .default(deliveryDefaults.giveUpMs)
    .describe('how long it is tried to deliver a notification'),
  webhookFailuresMax: wholeNumber(1, failuresMost)
    .default(deliveryDefaults.failuresMax)
    .describe('after how many notifications given up in a row a webhook is disabled'),
  webhookWaitingMax: wholeNumber(1, waitingMost)
    .default(deliveryDefaults.waitingMax)
    .describe('how many notifications may wait for one receiver; the oldest make room'),
}

type WebhookConfig = { readonly [Name in keyof typeof webhookConfig]: z.infer<(typeof webhookConfig)[Name]> }

export const limitsOf = (config: WebhookConfig): DeliveryLimits => ({
  timeoutMs: config.webhookTimeoutMs,
  baseMs: config.webhookRetryMs,
  delayMaxMs: deliveryDefaults.delayMaxMs,
  giveUpMs: config.webhookGiveUpMs,
  failuresMax: config.webhookFailuresMax,
  waitingMax: config.webhookWaitingMax,
})
