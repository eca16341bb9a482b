import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { outputCharsMax, outputsMax, type Outputs } from '#contracts/process.ts'

/** All output variables of a task together, as JSON: what one event may well carry. */
export const outputsCharsMax = 256 * 1024
const fileBytesMax = 1024 * 1024

const nameChars = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/
const single = /^([^=<]*)=(.*)$/s
const block = /^([^=<]*)<<(\S+)$/

export type ParsedOutputs = { readonly outputs: Outputs } | { readonly problem: string }

/**
 * Output variables as a script writes them: `name=value` on a line, or `name<<END`, lines, and a line with `END`.
 * A name that is set again takes the later value.
 */
export function parseOutputs(text: string): ParsedOutputs {
  const outputs = new Map<string, string>()
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    if (line.trim() === '') continue
    const [, name = '', value = '', end] = single.exec(line) ?? openBlock(line)
    if (!nameChars.test(name) || name === '__proto__') return wrong(at, 'is neither name=value nor name<<END')
    if (end === undefined) outputs.set(name, value)
    else {
      const last = lines.indexOf(end, at + 1)
      if (last < 0) return wrong(at, `begins a block that no line ${end} ends`)
      outputs.set(name, lines.slice(at + 1, last).join('\n'))
      at = last
    }
    if (outputs.get(name)!.length > outputCharsMax) return wrong(at, `sets more than ${outputCharsMax} characters`)
    if (outputs.size > outputsMax) return wrong(at, `sets more than ${outputsMax} variables`)
  }
  const all = Object.fromEntries(outputs)
  if (JSON.stringify(all).length > outputsCharsMax) {
    return { problem: `the output variables take more than ${outputsCharsMax} characters together` }
  }
  return { outputs: all }
}

const openBlock = (line: string): readonly (string | undefined)[] => {
  const [, name, end] = block.exec(line) ?? []
  return ['', name, '', end]
}

const wrong = (at: number, what: string): ParsedOutputs => ({ problem: `line ${at + 1} of the output file ${what}` })

/** Reads a script's output file, which may have become anything in its hands. */
export async function readOutputs(path: string): Promise<ParsedOutputs> {
  try {
    // Neither a link out of the folder is followed nor is a pipe waited for.
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stat = await file.stat()
    if (!stat.isFile()) return { problem: 'the output file is no longer a file' }
    if (stat.size > fileBytesMax) return { problem: `the output file has more than ${fileBytesMax} bytes` }
    return parseOutputs(await file.readFile('utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { outputs: {} }
    return { problem: `the output file cannot be read: ${String(error)}` }
  }
}
