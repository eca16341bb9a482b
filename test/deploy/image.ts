import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, globSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { repository, shipped } from './repository.ts'

export interface Instruction {
  readonly word: string
  readonly rest: string
}

export interface Stage {
  readonly name: string
  readonly from: string
  readonly instructions: readonly Instruction[]
}

/** Reads a Dockerfile into its stages. */
export function readDockerfile(text: string): readonly Stage[] {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
  const stages: { name: string; from: string; instructions: Instruction[] }[] = []
  for (const line of lines) {
    const [, word = '', rest = ''] = /^([A-Z]+) (.+)$/.exec(line) ?? []
    if (word === '') throw new Error(`no instruction of a Dockerfile: ${line}`)
    const [, from = '', name = ''] = word === 'FROM' ? (/^(\S+) AS (\S+)$/.exec(rest) ?? []) : []
    if (word === 'FROM') stages.push({ name, from, instructions: [] })
    else stages.at(-1)!.instructions.push({ word, rest })
  }
  return stages
}

/** All that a stage begins with, its own instructions last. */
export function wholeStage(stages: readonly Stage[], name: string): readonly Instruction[] {
  const stage = stages.find((one) => one.name === name)
  return stage === undefined ? [] : [...wholeStage(stages, stage.from), ...stage.instructions]
}

/** What the context holds according to .dockerignore: the names it lets in, without the folders it leaves out. */
export function contextFiles(): readonly string[] {
  const lines = shipped('.dockerignore').split('\n')
  const wanted = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  const left = lines.filter((line) => line.startsWith('**/')).map((line) => line.slice('**/'.length))
  return wanted
    .flatMap((name) => globSync([name, `${name}/**/*`], { cwd: repository }))
    .filter((file) => !file.split('/').some((part) => left.includes(part)))
    .filter((file) => statSync(join(repository, file)).isFile())
}

/**
 * Makes the files of the images as the Dockerfile says, in a folder for each stage, by running its instructions on this
 * machine. Only the tools that build are not installed once more: those of this repository serve.
 */
export class BuiltImages implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'remuda-images-'))
  readonly #stages = readDockerfile(shipped('deploy/Dockerfile'))

  constructor() {
    // Others are to read it, as the users in containers do.
    chmodSync(this.folder, 0o755)
    const context = join(this.folder, 'context')
    for (const file of contextFiles()) cpSync(join(repository, file), join(context, file), { recursive: true })
    for (const { name } of this.#stages) this.#build(name, context)
  }

  /** The folder with what an image has in its working folder. */
  of(stage: string): string {
    return join(this.folder, stage)
  }

  #build(stage: string, context: string): void {
    const home = this.of(stage)
    mkdirSync(home, { recursive: true })
    const isBase = stage === 'base'
    for (const { word, rest } of this.#stages.find(({ name }) => name === stage)!.instructions) {
      if (word === 'COPY') this.#copy(rest, context, home)
      // The base is another system than this one, which must not be changed.
      if (word === 'RUN' && !isBase) run(rest, home)
    }
  }

  #copy(rest: string, context: string, home: string): void {
    const [, stage, names = ''] = /^(?:--from=(\S+) )?(.+)$/.exec(rest) ?? []
    const words = names.split(' ')
    const target = words.pop()!
    for (const word of words) {
      const from = stage === undefined ? join(context, word) : join(this.folder, word)
      const to = join(home, target.endsWith('/') ? join(target, basename(word)) : target)
      mkdirSync(dirname(to), { recursive: true })
      cpSync(from, to, { recursive: true, verbatimSymlinks: true })
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function run(command: string, home: string): void {
  if (command.startsWith('npm ci ') && !command.includes('--omit=dev'))
    return symlinkSync(join(repository, 'node_modules'), join(home, 'node_modules'))
  const env = { ...process.env, PATH: `${join(repository, 'node_modules/.bin')}:${process.env['PATH']}`, NODE_ENV: '' }
  execFileSync('sh', ['-euc', command], { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'] })
}
