import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { OneQuery, PageQuery } from '#contracts/api.ts'
import { templateName, templateVersion } from '#contracts/template/origin.ts'
import { TemplateRow } from '#contracts/template.ts'
import { found, fresh, pageOf, sendDoc, sendPage, type Asked } from './answers.ts'
import { templateKey, templates, templateVersions } from './views/templates.ts'

type App = Parameters<FastifyPluginAsyncZod>[0]
const config = { scope: 'read' } as const
const tags = ['templates']
const params = z.strictObject({ name: templateName })
const versionParams = z.strictObject({ name: templateName, version: z.coerce.number().pipe(templateVersion) })

/** What can be asked of step templates. */
export const templateQueryRoutes =
  ({ query }: Asked): FastifyPluginAsyncZod =>
  async (app) => {
    library(app, query)
    versions(app, query)
  }

function library(app: App, query: Asked['query']): void {
  const summary = 'List the step templates of the library, each as it is newest'
  app.get(
    '/v1/templates',
    { config, schema: { tags, summary, querystring: PageQuery, response: { 200: pageOf(TemplateRow) } } },
    async (request, reply) => {
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      const listed = { list: 'templates', view: templates, where: [], order: ['key'], ...page }
      return sendPage(reply, query.reader.page(listed))
    },
  )

  const shown = 'Show a step template; its ETag is what a change may name with If-Match'
  app.get(
    '/v1/templates/:name',
    { config, schema: { tags, summary: shown, params, querystring: OneQuery, response: { 200: TemplateRow } } },
    async (request, reply) => {
      const { name } = request.params
      await fresh(query, request.query.minPosition)
      const doc = found(query.reader.one(templates, name)?.doc, 'TEMPLATE_UNKNOWN', `There is no template ${name}.`)
      return sendDoc(request, reply, doc, (JSON.parse(doc) as TemplateRow).version)
    },
  )
}

function versions(app: App, query: Asked['query']): void {
  const summary = 'List the versions of a step template, the newest first, also when it has left the library'
  app.get(
    '/v1/templates/:name/versions',
    { config, schema: { tags, summary, params, querystring: PageQuery, response: { 200: pageOf(TemplateRow) } } },
    async (request, reply) => {
      const { name } = request.params
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      const where = [['name = ?', name]] as const
      const order = ['version', 'key']
      const listed = { list: 'versions of a template', view: templateVersions, where, order, descending: true, ...page }
      const all = query.reader.page(listed)
      found(all.docs[0] ?? page.cursor, 'TEMPLATE_UNKNOWN', `There is no template ${name}.`)
      return sendPage(reply, all)
    },
  )

  const one = 'Show a version of a step template, which never changes'
  app.get(
    '/v1/templates/:name/versions/:version',
    {
      config,
      schema: { tags, summary: one, params: versionParams, querystring: OneQuery, response: { 200: TemplateRow } },
    },
    async (request, reply) => {
      const { name, version } = request.params
      await fresh(query, request.query.minPosition)
      const row = query.reader.one(templateVersions, templateKey(name, version))
      const doc = found(row?.doc, 'TEMPLATE_UNKNOWN', `There is no version ${version} of template ${name}.`)
      return sendDoc(request, reply, doc)
    },
  )
}
