import type { Answer } from '#contracts/command.ts'

/**
 * Shows a fresh token together with the answer to the command that made it, and says until when it is good. The secret
 * of a request that came before cannot be shown again, since only its hash is kept.
 */
export function withToken(answer: Answer, token: string): Answer {
  if ('refused' in answer) return answer
  const { expiresAt, secretStored, ...result } = answer.result
  const until = typeof expiresAt === 'number' ? iso(expiresAt) : null
  return { ...answer, result: { ...result, expiresAt: until, token: secretStored === true ? token : null } }
}

const iso = (atMs: number) => new Date(atMs).toISOString()
