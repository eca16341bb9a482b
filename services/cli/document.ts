import { createReadStream } from 'node:fs'
import { LineCounter, parseDocument, type Document, isNode, isMap, isPair, isScalar } from 'yaml'
import type { z } from 'zod'
import { mistakesOf, noSuchSetting, type Mistake } from '#contracts/issues.ts'
import type { FieldError } from '#libs/problem.ts'
import { CliError, exits, usage } from './exit.ts'
import { complaintsOf, valueOf } from './yamlMistakes.ts'

/** What a file says, and where in it each part stands. */
export interface Source {
  readonly value: unknown
  /**
   * `file:line:column` of what lies at this path, or of the nearest thing around it that is there.
   * @param part of a setting, its name or its value
   */
  at(path: readonly PropertyKey[], part?: 'name' | 'value'): string
}

const mistakesMax = 10
const fileBytesMax = 1024 * 1024

/**
 * Reads a YAML or JSON file; `-` is standard input.
 * @throws CliError that names file, line and column of what cannot be read
 */
export async function readDocument(file: string): Promise<Source> {
  return parseSource(nameOf(file), await readText(file))
}

/** @param name how the file is called in what is said of it */
export function parseSource(name: string, text: string): Source {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${name}:${line}:${col}`
  }
  const complaints = complaintsOf(document)
  const told = complaints.length > 0 ? { mistakes: complaints } : valueOf(document)
  if ('mistakes' in told) throw invalid(told.mistakes.map(({ offset, message }) => `${at(offset)}: ${message}`))
  return {
    value: told.value,
    at: (path, part = 'value') => at(offsetOf(document, path, part)),
  }
}

/**
 * Checks what a file says before anything is sent, so that every mistake is shown at once and at its place.
 * @returns the value as written: the server fills in what was left out
 */
export function checked(source: Source, schema: z.ZodType): unknown {
  const parsed = schema.safeParse(source.value)
  if (parsed.success) return source.value
  throw invalid(mistakesOf(parsed.error).map((mistake) => sentence(source, mistake)))
}

/**
 * What the server found wrong with a file's fields, at their places in the file.
 * @param under where in the file that stands which was sent
 */
export const mistakesAt = (
  source: Source,
  errors: readonly FieldError[],
  under: readonly PropertyKey[] = [],
): CliError =>
  invalid(
    errors.map(({ path, message }) => {
      // The server names fields from the request's body on.
      const keys = path.split('.').slice(path.startsWith('body') ? 1 : 0)
      return `${source.at([...under, ...keys])}: ${keys.join('.')}: ${message}`
    }),
  )

const nameOf = (file: string) => (file === '-' ? 'standard input' : file)

/** The text of a file, or of standard input. */
export async function readText(file: string): Promise<string> {
  const name = nameOf(file)
  // Not the file descriptor: reading that would block, and nobody could interrupt a command that waits for its input.
  const stream = file === '-' ? process.stdin : createReadStream(file)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of stream) {
      chunks.push(Buffer.from(chunk as Uint8Array))
      bytes += chunks.at(-1)?.length ?? 0
      if (bytes > fileBytesMax) throw usage(`${name} has more than ${fileBytesMax} bytes.`)
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    throw usage(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}.`)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Everything that is wrong with what a person wrote, each at its place. */
export const invalid = (mistakes: readonly string[]): CliError => {
  const shown = mistakes.slice(0, mistakesMax)
  const more = mistakes.length > shown.length ? [`and ${mistakes.length - shown.length} more`] : []
  return new CliError(
    exits.refused,
    'DOCUMENT_INVALID',
    [...shown, ...more].join('\n  '),
    'put it right at the place named',
  )
}

function sentence(source: Source, { path, message }: Mistake): string {
  const name = path.join('.')
  const place = source.at(path, message === noSuchSetting ? 'name' : 'value')
  return `${place}: ${name === '' ? '' : `${name}: `}${message}`
}

/** The place of the deepest thing on the path that exists. */
function offsetOf(document: Document, path: readonly PropertyKey[], part: 'name' | 'value'): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const key of path) {
    const found = childOf(node, key)
    if (found === undefined) return offset
    node = isPair(found) ? found.value : found
    const name = isPair(found) ? startOf(found.key) : null
    offset = (part === 'name' ? (name ?? startOf(node)) : (startOf(node) ?? name)) ?? offset
  }
  return offset
}

const startOf = (node: unknown): number | null => (isNode(node) ? (node.range?.[0] ?? null) : null)

function childOf(node: unknown, key: PropertyKey): unknown {
  if (isMap(node)) return node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key))
  if (isNode(node) && 'items' in node && Array.isArray(node.items)) return node.items[Number(key)]
  return undefined
}
