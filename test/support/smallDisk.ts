import { spawnSync } from 'node:child_process'
import { onTestFinished } from 'vitest'

const run = (program: string, ...words: readonly string[]) =>
  spawnSync(program, words, { stdio: 'ignore' }).status === 0

/** Puts a disk of its own behind a folder until the test ends; false where that is not allowed. */
export function mountSmallDisk(folder: string, size: string): boolean {
  if (!run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder)) return false
  onTestFinished(() => void run('umount', '-l', folder))
  return true
}
