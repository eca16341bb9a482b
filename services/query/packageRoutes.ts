import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { OneQuery, PageQuery } from '#contracts/api.ts'
import * as id from '#contracts/ids.ts'
import { packageName, PackageRow } from '#contracts/package.ts'
import type { Blobs } from '#libs/blobs/blobs.ts'
import { bytesResponse, sendBlob } from '#libs/http/sendBlob.ts'
import { found, fresh, pageOf, sendPage, type Asked } from './answers.ts'
import { packageKey, packages } from './views/packages.ts'

type App = Parameters<FastifyPluginAsyncZod>[0]
const config = { scope: 'read' } as const
const tags = ['packages']
const extensions: Readonly<Record<string, string>> = {
  'application/gzip': '.tar.gz',
  'application/x-tar': '.tar',
  'application/zip': '.zip',
}

export interface PackageQueryOptions extends Asked {
  readonly blobs: Pick<Blobs, 'open'>
  /** How long it may take to send a package. */
  readonly sendMs: number
}

/** What can be asked of packages. Needs the folder of their bytes. */
export const packageQueryRoutes =
  (options: PackageQueryOptions): FastifyPluginAsyncZod =>
  async (app) => {
    packageLists(app, options)
    packageContent(app, options)
  }

function packageLists(app: App, { query }: PackageQueryOptions): void {
  const response = { 200: pageOf(PackageRow) }
  app.get(
    '/v1/packages',
    { config, schema: { tags, summary: 'List packages, each version by itself', querystring: PageQuery, response } },
    async (request, reply) => {
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      return sendPage(
        reply,
        query.reader.page({ list: 'packages', view: packages, where: [], order: ['key'], ...page }),
      )
    },
  )

  const params = z.strictObject({ name: packageName })
  const summary = 'List the versions of a package, the latest first'
  app.get(
    '/v1/packages/:name',
    { config, schema: { tags, summary, params, querystring: PageQuery, response } },
    async (request, reply) => {
      const { name } = request.params
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      const where = [['name = ?', name]] as const
      const order = ['uploadedAt', 'key']
      const listed = { list: 'packages of one name', view: packages, where, order, descending: true, ...page }
      const versions = query.reader.page(listed)
      found(versions.docs[0] ?? page.cursor, 'PACKAGE_UNKNOWN', `There is no package ${name}.`)
      return sendPage(reply, versions)
    },
  )
}

function packageContent(app: App, { query, blobs, sendMs }: PackageQueryOptions): void {
  const params = z.strictObject({ name: packageName, version: id.version })
  const summary = 'Download a version of a package; takes Range and If-Range, so that it can be resumed'
  app.get(
    '/v1/packages/:name/versions/:version/content',
    {
      config,
      handlerTimeout: sendMs,
      schema: { tags, summary, params, querystring: OneQuery, response: bytesResponse },
    },
    async (request, reply) => {
      const { name, version } = request.params
      await fresh(query, request.query.minPosition)
      const kept = query.reader.one(packages, packageKey(name, version))
      const doc = found(kept?.doc, 'PACKAGE_UNKNOWN', `There is no package ${name} ${version}.`)
      const { digest, mediaType } = JSON.parse(doc) as PackageRow
      const fileName = `${name}-${version}${extensions[mediaType] ?? ''}`
      return sendBlob(request, reply, blobs, { digest, mediaType, fileName })
    },
  )
}
