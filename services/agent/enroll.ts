import { enrollmentProof, type EnrollRequest } from '#contracts/agent.ts'
import { parseToken } from '#libs/auth.ts'
import { saveEnrolled, type Identity } from './identity.ts'
import type { AgentPorts } from './ports.ts'
import type { AgentSettings } from './settings.ts'

/** `refused`: the server said no, and will as long as nothing changes. `unreachable`: it said nothing. */
export type Enrolment =
  | { readonly outcome: 'enrolled'; readonly identity: Identity }
  | { readonly outcome: 'refused' | 'unreachable'; readonly why: string }

/** Asks the server to take this machine in: shows the join token, and proves that the key is the machine's own. */
export async function enrol(ports: AgentPorts, settings: AgentSettings, identity: Identity): Promise<Enrolment> {
  const token = await settings.token()
  if (token === null)
    return { outcome: 'refused', why: 'This machine is not enrolled. Start it with a join token (--token).' }
  const parts = parseToken(token)
  if (parts?.kind !== 'join')
    return { outcome: 'refused', why: 'The join token is malformed. It begins with rmd_join_.' }

  const { key } = identity
  const request: EnrollRequest = {
    token,
    name: settings.name,
    roles: settings.roles,
    publicKey: key.publicKey,
    signature: key.sign(enrollmentProof(key.publicKey, parts.publicId)),
    facts: ports.machine.facts(),
    attributes: settings.attributes,
  }
  try {
    const reply = await ports.enroller.enroll(request)
    if ('refused' in reply) return { outcome: 'refused', why: `${reply.refused}: ${reply.detail}` }
    const { machineId, environmentId, name } = reply
    ports.log.info({ machineId, environmentId, name }, 'this machine is enrolled')
    return { outcome: 'enrolled', identity: await saveEnrolled(ports, identity, { machineId, environmentId, name }) }
  } catch (error) {
    return { outcome: 'unreachable', why: error instanceof Error ? error.message : String(error) }
  }
}
