import type { FastifyInstance } from 'fastify'
import { Refused } from '../problem.ts'

const tagPattern = /^\s*(?:W\/)?"(0|[1-9]\d{0,8})"\s*$/
const isAny = (ifMatch: string) => ifMatch.trim() === '*'

/** The version that If-Match names; null when it names none, and any will do. */
export function versionOf(ifMatch: string | undefined): number | null {
  if (ifMatch === undefined || isAny(ifMatch)) return null
  const [, version] = tagPattern.exec(ifMatch) ?? []
  if (version === undefined)
    throw new Refused('VERSION_CHANGED', `If-Match takes the ETag that was read, such as "3", and not ${ifMatch}.`)
  return Number(version)
}

/** A route that keeps no version would change whatever stands, which is what the header forbids: it says so instead. */
export function refuseUnknownVersions(app: FastifyInstance): void {
  app.addHook('preValidation', async ({ headers, routeOptions }) => {
    const ifMatch = headers['if-match']
    if (ifMatch === undefined || isAny(ifMatch) || routeOptions.config.versioned === true) return
    throw new Refused('REQUEST_INVALID', 'What this route changes has no version, so it takes no If-Match.')
  })
}
