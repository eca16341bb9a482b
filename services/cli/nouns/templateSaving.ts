import type { TemplateContent, TemplateFile, TemplateRow } from '#contracts/template.ts'
import { path } from '../client.ts'
import type { Context } from '../context.ts'
import { ApiProblem } from '../failure.ts'
import { placed } from '../placed.ts'
import type { Read } from '../projectFile.ts'

type Wanted = Read<TemplateFile>

/** The templates that the library has not as the files say, lower versions first. */
export async function templateChanges(context: Context, templates: readonly Wanted[]): Promise<readonly Wanted[]> {
  const changes: Wanted[] = []
  const last = Number.MAX_SAFE_INTEGER
  for (const wanted of templates.toSorted((a, b) => (a.value.version ?? last) - (b.value.version ?? last))) {
    const now = await present(context, wanted.value)
    if (now === null || !same(contentOf(wanted.value), contentOf(now))) changes.push(wanted)
  }
  return changes
}

/** @returns the version that it is saved as */
export async function saveTemplate({ client }: Context, { value, source, under }: Wanted): Promise<number> {
  const body = { content: contentOf(value), ...(value.version !== undefined && { version: value.version }) }
  const address = path`templates/${value.template}`
  const reply = await client.send<{ version: number }>('PUT', address, body).catch((error: unknown) => {
    throw error instanceof ApiProblem ? placed(source, error, under) : error
  })
  return reply.body.version
}

export const newestTemplate = ({ client }: Context, name: string): Promise<TemplateRow | null> =>
  orNothing(client.get<TemplateRow>(path`templates/${name}`))

export const templateAt = ({ client }: Context, name: string, version: number): Promise<TemplateRow | null> =>
  orNothing(client.get<TemplateRow>(path`templates/${name}/versions/${String(version)}`))

/** A template as a file says it. */
export const fileOf = ({ name, version, description, parameters, step }: TemplateRow): object => ({
  ...{ template: name, version },
  ...(description !== '' && { description }),
  ...{ parameters, step },
})

const present = (context: Context, { template, version }: TemplateFile): Promise<TemplateRow | null> =>
  version === undefined ? newestTemplate(context, template) : templateAt(context, template, version)

const orNothing = (row: Promise<TemplateRow>): Promise<TemplateRow | null> =>
  row.catch((error: unknown) => {
    if (error instanceof ApiProblem && error.code === 'TEMPLATE_UNKNOWN') return null
    throw error
  })

const contentOf = ({ description, parameters, step }: TemplateContent): TemplateContent => ({
  ...{ description, parameters, step },
})

/** What the server kept has been through the same schema, so equal things are written alike. */
const same = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b)
