import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fastify, { type FastifyInstance } from 'fastify'
import { expect, onTestFinished } from 'vitest'
import { createClient, type Client } from '../../../services/cli/client.ts'
import { systemClock } from '#libs/systemClock.ts'

export const main = new URL('../../../services/cli/main.ts', import.meta.url).pathname
const runMaxMs = 50_000

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly server?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly cwd?: string
}

/** The command line as a process that is still running. Asked to end, should the test end before it does. */
export function startCli(args: readonly string[], options: RunOptions = {}) {
  const { PATH = '' } = process.env
  const server = options.server === undefined ? {} : { REMUDA_SERVER: options.server }
  const env = { PATH, ...server, ...options.env }
  const child = spawn(process.execPath, [main, ...args], { env, cwd: options.cwd ?? tempFolder(), timeout: runMaxMs })
  onTestFinished(() => void child.kill())
  child.stdin.on('error', () => {})
  child.stdin.end(options.stdin ?? '')
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()))
  return { child, said, ended: endOf(child, said) }
}

const endOf = (child: ChildProcessWithoutNullStreams, said: { stdout: string; stderr: string }): Promise<Ran> =>
  new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...said }))
  })

/** The command line as a process that has ended. */
export const runCli = (args: readonly string[], options: RunOptions = {}): Promise<Ran> => startCli(args, options).ended

/** The JSON that a command printed; fails with what it said instead when it did not succeed. */
export async function jsonOf(args: readonly string[], options: RunOptions = {}): Promise<unknown> {
  const { code, stdout, stderr } = await runCli([...args, '--output', 'json'], options)
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return JSON.parse(stdout)
}

/** A server with the routes of one test, on a port of its own. */
export async function serve(routes: (app: FastifyInstance) => void): Promise<string> {
  const app = fastify({ forceCloseConnections: true })
  routes(app)
  onTestFinished(() => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

export const clientOf = (server: string): Client => createClient({ server, token: 'a-token', clock: systemClock })

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A problem as the API answers it. */
export const problem = (status: number, code: string, detail: string, errors?: readonly object[]) => ({
  type: `/problems/${code}`,
  title: 'What is wrong in general.',
  status,
  detail,
  code,
  instance: '/v1',
  requestId: 'request-1',
  ...(errors && { errors }),
})
