import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { packageProof, parsePackageCredential } from '#contracts/agent.ts'
import { packageDigest } from '#contracts/package.ts'
import type { Blobs } from '#libs/blobs/blobs.ts'
import { bytesResponse, sendBlob } from '#libs/http/sendBlob.ts'
import { verifySignature } from '#libs/machineKey.ts'
import { Refused } from '#libs/problem.ts'
import type { Gateway } from './service.ts'

/** How far the clock of a machine may be from ours. An agent that is told so takes ours and asks again. */
const skewMaxMs = 5 * 60_000

export interface PackageDoorOptions {
  readonly gateway: Pick<Gateway, 'publicKeyOf'>
  readonly blobs: Pick<Blobs, 'open'>
  /** How long it may take to send a package. */
  readonly sendMs: number
}

/** Where agents get the packages that they are told to install: by digest, and with a proof of the machine's key. */
export const agentPackageRoutes =
  ({ gateway, blobs, sendMs }: PackageDoorOptions): FastifyPluginAsyncZod =>
  async (app) => {
    const params = z.strictObject({ digest: packageDigest })
    const summary = 'Download a package as a machine, with a signature of its key'
    const schema = { tags: ['agent'], summary, params, response: bytesResponse }
    app.get(
      '/v1/agent/packages/:digest',
      { config: { public: true }, handlerTimeout: sendMs, schema },
      async (request, reply) => {
        const { digest } = request.params
        identify(request, digest, gateway)
        return sendBlob(request, reply, blobs, { digest, mediaType: 'application/octet-stream', fileName: digest })
      },
    )
  }

function identify(request: FastifyRequest, digest: string, gateway: Pick<Gateway, 'publicKeyOf'>): void {
  const { authorization } = request.headers
  if (authorization === undefined)
    throw new Refused('CREDENTIAL_MISSING', 'A machine signs for the package that it asks for.')
  const shown = parsePackageCredential(authorization)
  const publicKey = shown && gateway.publicKeyOf(shown.machineId)
  if (!publicKey || !verifySignature(publicKey, packageProof(shown.machineId, shown.atMs, digest), shown.signature))
    throw new Refused('CREDENTIAL_INVALID', 'This is not signed with the key of a registered machine.')
  const skewMs = shown.atMs - request.server.clock.wallMs()
  if (Math.abs(skewMs) > skewMaxMs)
    throw new Refused('CREDENTIAL_INVALID', `The clock of the machine is ${skewMs} ms from the server's.`)
}
