import { api } from '../server.ts'

/** A little longer than the server lets a question take, so that its own refusal is what one sees. */
const questionMaxMs = 60_000

/** Asks a policy something that takes long; nothing changes by asking. */
export const ask = <Reply>(environmentId: string, question: 'backtest' | 'what-if', body: unknown): Promise<Reply> =>
  api.send('POST', `environments/${encodeURIComponent(environmentId)}/policy/${question}`, body, questionMaxMs)
