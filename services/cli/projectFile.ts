import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { PutVariablesBody } from '#contracts/api.ts'
import { displayName, projectId } from '#contracts/ids.ts'
import { TemplateFile } from '#contracts/template.ts'
import { WrittenProcess } from '#contracts/writtenProcess.ts'
import { checked, invalid, readDocument, type Source } from './document.ts'
import { usage } from './exit.ts'

const filesMax = 100
const templatesMax = 50

/** A project as it is kept in a repository: what is left out is left as it is. */
export const ProjectFile = z.strictObject({
  project: projectId,
  name: displayName.optional(),
  /** Saved before the project, which may use them. */
  templates: z.array(TemplateFile).max(templatesMax).readonly().optional(),
  process: WrittenProcess.optional(),
  variables: PutVariablesBody.shape.variables.optional(),
})
export type ProjectFile = z.infer<typeof ProjectFile>

/** Something that was read from a file, and where in it that stands. */
export interface Read<Value> {
  readonly value: Value
  readonly source: Source
  readonly under: readonly PropertyKey[]
}

export interface Kept {
  readonly projects: readonly Read<ProjectFile>[]
  /** Those that stand beside projects, and those that stand in them. */
  readonly templates: readonly Read<TemplateFile>[]
}

/**
 * Reads a file, standard input (`-`), or every YAML and JSON file of a folder: each is a project or a template.
 * @throws CliError with all that is wrong with the first file in which anything is, each at its line and column
 */
export async function readKept(path: string): Promise<Kept> {
  const projects: Read<ProjectFile>[] = []
  const templates: Read<TemplateFile>[] = []
  for (const file of await filesOf(path)) {
    const source = await readDocument(file)
    if (isTemplate(source.value)) {
      templates.push({ value: TemplateFile.parse(checked(source, TemplateFile)), source, under: [] })
      continue
    }
    const value = ProjectFile.parse(checked(source, ProjectFile))
    projects.push({ value, source, under: [] })
    const inside = value.templates ?? []
    templates.push(...inside.map((one, at) => ({ value: one, source, under: ['templates', at] })))
  }
  refuseTwice(templates)
  return { projects, templates }
}

const isTemplate = (value: unknown): boolean => typeof value === 'object' && value !== null && 'template' in value

async function filesOf(path: string): Promise<readonly string[]> {
  const isFolder = path !== '-' && (await stat(path).catch(() => null))?.isDirectory() === true
  if (!isFolder) return [path]
  const names = (await readdir(path)).filter((name) => /\.(ya?ml|json)$/.test(name)).toSorted()
  if (names.length === 0) throw usage(`${path} has no files that end with .yaml, .yml or .json.`)
  if (names.length > filesMax) throw usage(`${path} has ${names.length} files, at most ${filesMax}.`)
  return names.map((name) => join(path, name))
}

/** Two that want to be the same version would take turns. */
function refuseTwice(templates: readonly Read<TemplateFile>[]): void {
  const places = new Map<string, string>()
  for (const { value, source, under } of templates) {
    const key = `${value.template}@${value.version ?? 'next'}`
    const place = source.at([...under, 'template'])
    const before = places.get(key)
    if (before !== undefined) throw invalid([`${place}: template ${value.template} is at ${before} as well`])
    places.set(key, place)
  }
}
