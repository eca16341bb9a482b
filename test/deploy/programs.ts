import { execFileSync } from 'node:child_process'

/** Where a tool is that not every machine has, or null with a word about what is not checked without it. */
export function findTool(program: string, unchecked: string): string | null {
  try {
    return execFileSync('sh', ['-c', 'command -v "$0"', program], { encoding: 'utf8' }).trim()
  } catch {
    console.warn(`NOT CHECKED: ${unchecked}, since ${program} is not on the path.`)
    return null
  }
}
