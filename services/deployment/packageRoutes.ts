import { z } from 'zod'
import * as api from '#contracts/api.ts'
import * as id from '#contracts/ids.ts'
import { packageName, type PackageMediaType } from '#contracts/package.ts'
import { archiveFormatOf } from '#libs/archiveFormat.ts'
import type { Ask } from '#libs/ask.ts'
import { BlobFault, type Blobs } from '#libs/blobs/blobs.ts'
import { causeOf, sendAnswer } from '#libs/http/answer.ts'
import type { Http } from '#libs/http/http.ts'
import { takeUploads, uploadOf, type UploadLimits } from '#libs/http/upload.ts'
import { Refused } from '#libs/problem.ts'
import type { FastifyRequest } from 'fastify'

const params = z.strictObject({ name: packageName, version: id.version })
const tags = ['packages']
const config = { scope: 'write' } as const
const ok = { 200: api.AcceptedReply }
const mediaTypes = ['application/octet-stream', 'application/gzip', 'application/x-tar', 'application/zip']

export interface PackageRouteOptions {
  readonly ask: Ask
  readonly blobs: Blobs
  readonly limits: UploadLimits
}

/** What can be asked of packages. Bytes are stored here, by whichever process is asked; what they are is decided once. */
export const packageRoutes =
  (options: PackageRouteOptions) =>
  async (app: Http): Promise<void> => {
    await app.register(async (uploads: Http) => addUpload(uploads, options))
    addRemoval(app, options)
    addPruning(app, options)
  }

function addUpload(app: Http, { ask, blobs, limits }: PackageRouteOptions): void {
  const summary = 'Upload a version of a package: a tar, tar.gz or zip'
  const description =
    'The body is the archive as it is. The same bytes again are accepted; other bytes under the same name and version ' +
    'are refused. With `digest`, only bytes that have this SHA-256 are taken.'
  const querystring = api.UploadPackageQuery
  takeUploads(app, mediaTypes)
  app.post(
    '/v1/packages/:name/versions/:version',
    {
      config,
      handlerTimeout: limits.uploadMs,
      schema: { tags, summary, description, params, querystring, response: { 201: api.AcceptedReply } },
    },
    async (request, reply) => {
      // What is left unread when an upload is refused must not be taken for the next request.
      reply.header('connection', 'close')
      const stored = await store(request, blobs, limits, request.query.digest)
      reply.removeHeader('connection')
      const { name, version } = request.params
      // An Idempotency-Key stands for these bytes and no others.
      request.body = { digest: stored.digest }
      const answer = await ask(
        'deployment',
        { type: 'AddPackage', data: { name, version, ...stored } },
        causeOf(request),
      )
      if ('refused' in answer) sendAnswer(reply, answer)
      else sendAnswer(reply, { ...answer, result: { name, version, ...stored } }, { status: 201 })
      return reply
    },
  )
}

async function store(request: FastifyRequest, blobs: Blobs, limits: UploadLimits, expected: string | undefined) {
  const seen = { mediaType: null as PackageMediaType | null }
  const inspect = (head: Uint8Array) => {
    seen.mediaType = archiveFormatOf(head)
    if (seen.mediaType === null)
      throw new Refused('PACKAGE_FORMAT_UNKNOWN', 'It begins like no tar, tar.gz or zip. Send the archive as it is.')
  }
  try {
    const source = uploadOf(request, request.server.clock, limits)
    const stored = await blobs.put(source, { bytesMax: limits.bytesMax, inspect })
    if (expected !== undefined && expected !== stored.digest)
      throw new Refused(
        'PACKAGE_DIGEST_WRONG',
        `The bytes that came have the digest ${stored.digest}. Send them again.`,
      )
    return { ...stored, mediaType: seen.mediaType! }
  } catch (error) {
    if (!(error instanceof BlobFault)) throw error
    if (error.reason === 'too-large')
      throw new Refused('BODY_TOO_LARGE', `A package has ${limits.bytesMax} bytes at most.`)
    throw new Refused(
      'SERVICE_UNAVAILABLE',
      `The package cannot be kept: ${error.message}. Make room and send it again.`,
    )
  }
}

function addRemoval(app: Http, { ask }: PackageRouteOptions): void {
  const summary = 'Give up a version of a package that no release refers to'
  const querystring = api.OptionalReasonBody
  app.delete(
    '/v1/packages/:name/versions/:version',
    { config, schema: { tags, summary, params, querystring, response: ok } },
    async (request, reply) => {
      const { reason = 'no reason given' } = request.query
      const data = { ...request.params, reason }
      sendAnswer(reply, await ask('deployment', { type: 'RemovePackage', data }, causeOf(request)))
      return reply
    },
  )
}

function addPruning(app: Http, { ask }: PackageRouteOptions): void {
  const summary = 'Give up all versions of a package but the newest and those that releases refer to'
  app.post(
    '/v1/packages/:name/prune',
    {
      config,
      schema: {
        tags,
        summary,
        params: z.strictObject({ name: packageName }),
        body: api.PrunePackageBody,
        response: ok,
      },
    },
    async (request, reply) => {
      const data = { name: request.params.name, ...request.body }
      sendAnswer(reply, await ask('deployment', { type: 'PrunePackage', data }, causeOf(request)))
      return reply
    },
  )
}
