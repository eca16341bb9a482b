import type { TemplateEvent, TemplateRow } from '#contracts/template.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'

type Saved = Extract<TemplateEvent, { type: 'TemplateSaved' }>

/** What each template of the library says at its newest. */
export const templates: View<TemplateRow, TemplateEvent> = {
  name: 'templates.v1',
  observes: ['TemplateSaved', 'TemplateDeleted'],
  keysOf: ({ data }) => [data.name],

  project(row, fact) {
    switch (fact.type) {
      case 'TemplateSaved':
        // One that was deleted may come back under a version that it had; then that is all there is of it again.
        return row !== undefined && row.version > fact.data.version ? row : rowOf(fact)
      case 'TemplateDeleted':
        return null
    }
  },
}

export const templateKey = (name: string, version: number): string => `${name}@${version}`

/** What each version says, also of templates that have left the library: steps that are in use came from them. */
export const templateVersions: View<TemplateRow, Saved> = {
  name: 'template-versions.v1',
  observes: ['TemplateSaved'],
  keysOf: ({ data }) => [templateKey(data.name, data.version)],
  columns: { name: (row) => row.name, version: (row) => row.version },
  indexes: [['name', 'version']],
  project: (_, fact) => rowOf(fact),
}

const rowOf = ({ data, meta }: Saved & { readonly meta: { readonly at: number; readonly actor: string } }) => ({
  ...data,
  savedAt: iso(meta.at),
  savedBy: meta.actor,
})
