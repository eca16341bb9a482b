import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { main, problem, runCli, serve, tempFolder } from './support.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const nobody = 'http://127.0.0.1:1'
const overview = { machines: {}, environments: 0, deployments: {}, withheld: 0, position: 0, version: '1.0.0' }
const whoAsks = async () => {
  const asked: unknown[] = []
  const server = await serve((app) => {
    app.get('/v1/overview', ({ headers }) => (asked.push(headers.authorization), overview))
  })
  return { server, asked }
}

describe('what ends in an error', () => {
  it.each([
    ['a word that is no command', ['machien', 'list'], 2, 'USAGE'],
    ['an option that does not exist', ['machine', 'list', '--enviroment', 'x'], 2, 'USAGE'],
    ['an argument that is missing', ['machine', 'get'], 2, 'USAGE'],
    ['a duration that is none', ['machine', 'list', '--every', 'soon'], 2, 'USAGE'],
    ['a server nobody runs', ['overview', '--server', nobody], 69, 'SERVER_UNREACHABLE'],
    ['a server that is no address', ['overview', '--server', 'ftp://x'], 78, 'SERVER_INVALID'],
    ['a program that does not come first', ['--no-color', 'serve'], 2, 'USAGE'],
  ])('%s', async (_, args, exit, errorCode) => {
    const { code, stdout, stderr } = await runCli(args)
    expect([code, stdout]).toEqual([exit, ''])
    expect(stderr).toMatch(new RegExp(`^error ${errorCode}: [^\n]+\nnext: [^\n]+\n$`))
  })
  it.each([
    [401, 'CREDENTIAL_MISSING', 77],
    [403, 'PERMISSION_DENIED', 77],
    [404, 'MACHINE_UNKNOWN', 3],
    [409, 'MACHINE_REMOVED', 2],
    [422, 'POLICY_IMPOSSIBLE', 2],
    [500, 'FAULT', 1],
    [503, 'SERVICE_UNAVAILABLE', 69],
  ])('an answer with status %i and code %s ends with %i', async (status, code, exit) => {
    const server = await serve((app) => {
      app.get('/v1/overview', (_, reply) => reply.code(status).send(problem(status, code, 'It is so.')))
    })
    const ran = await runCli(['overview'], { server })
    expect(ran.code).toBe(exit)
    expect(ran.stderr.split('\n')[0]).toBe(`error ${code}: It is so.`)
  })
  it('an answer of something that is not Remuda', async () => {
    const server = await serve((app) => {
      app.get('/v1/overview', (_, reply) => reply.type('text/html').send('<h1>It works!</h1>'))
    })
    const { code, stderr } = await runCli(['overview'], { server })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error ANSWER_UNREADABLE: /)])
  })
})

describe('the credential', () => {
  it('is taken from the flag, then the variable, then the data folder', async () => {
    const { server, asked } = await whoAsks()
    const data = join(tempFolder(), 'data')
    mkdirSync(data)
    writeFileSync(join(data, 'admin-token'), 'from-file\n')
    const REMUDA_API_TOKEN = 'from-variable'
    await runCli(['overview', '--token', 'from-flag'], { server, env: { REMUDA_API_TOKEN } })
    await runCli(['overview'], { server, env: { REMUDA_API_TOKEN, REMUDA_DATA: data } })
    await runCli(['overview'], { server, env: { REMUDA_API_TOKEN: '', REMUDA_DATA: data } })
    await runCli(['overview'], { server, cwd: join(data, '..') })
    await runCli(['overview'], { server })
    const bearer = ['from-flag', 'from-variable', 'from-file', 'from-file'].map((token) => `Bearer ${token}`)
    expect(asked).toEqual([...bearer, undefined])
  })
  it('of the data folder is for this machine alone', async () => {
    const data = tempFolder()
    writeFileSync(join(data, 'admin-token'), 'from-file\n')
    const args = ['overview', '--server', 'http://remuda.invalid']
    const { code, stderr } = await runCli(args, { env: { REMUDA_DATA: data } })
    expect(code).toBe(69)
    expect(stderr).not.toContain('unencrypted')
  })
  it('is not sent in the clear to another machine without a warning', async () => {
    const { stderr } = await runCli(['overview', '--server', 'http://remuda.invalid', '--token', 'x'])
    expect(stderr).toMatch(/^warning: .* unencrypted/)
  })
})

describe('help', () => {
  it('comes without a server, and lists every noun', async () => {
    const { code, stdout, stderr } = await runCli([])
    expect([code, stderr]).toEqual([0, ''])
    for (const noun of [
      'serve',
      'env',
      'machine',
      'enroll',
      'project',
      'release',
      'deploy',
      'events',
      'token',
      'overview',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${noun}`, 'm'))
    }
  })
  it('knows the exit codes', async () => {
    const { code, stdout } = await runCli(['help', 'exit-codes'])
    expect(code).toBe(0)
    for (const exit of [0, 1, 2, 3, 4, 69, 77, 78, 124, 130]) expect(stdout).toMatch(new RegExp(`^  ${exit} `, 'm'))
  })
  it('of a noun is shown when its verb is missing, as a mistake', async () => {
    const { code, stdout, stderr } = await runCli(['machine'])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('explain <machine>')
  })
  it('of a command is the same by either way', async () => {
    const { stdout } = await runCli(['help', 'env', 'policy', 'set'])
    expect(stdout).toContain('Usage: remuda env policy set')
    expect((await runCli(['env', 'policy', 'set', '--help'])).stdout).toBe(stdout)
  })
})

describe('a reader that has seen enough', () => {
  it('is no fault', async () => {
    const { server } = await whoAsks()
    const command = `"${process.execPath}" "${main}" help | true; echo "\${PIPESTATUS[0]}"`
    const stdout = execFileSync('bash', ['-c', command], {
      env: { PATH: process.env.PATH, REMUDA_SERVER: server },
    })
    expect(stdout.toString()).toBe('0\n')
  })
})
