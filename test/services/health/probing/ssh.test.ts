import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Probe } from '#contracts/probe.ts'
import { findServer } from '#test/support/servers.ts'
import { SshServer } from '#test/support/sshServer.ts'
import { closedPort, expectCutOff, listening, lookAt, told } from './looking.ts'

const sshd = await findServer('sshd', 'openssh-server')

describe.skipIf(sshd === null)('a look by ssh', () => {
  let server: SshServer
  beforeAll(async () => void (server = await SshServer.start(sshd!)), 60_000)
  afterAll(() => server[Symbol.asyncDispose]())
  const probe = (part: object = {}): Probe => ({
    ...{ kind: 'ssh', host: '127.0.0.1', port: server.port, user: server.user },
    ...part,
  })
  const look = (part: object = {}, sshKey = server.key()) => lookAt(probe(part), { sshKey })

  it('logs in', async () => expect(told(await look())).toBe('answers answered ok'))
  it('knows the machine by its host key', async () =>
    expect(told(await look({ hostKey: server.fingerprint() }))).toBe('answers answered ok'))
  it('takes a machine with another host key for another machine', async () => {
    const verdict = await look({ hostKey: server.fingerprint('stranger') })
    expect(told(verdict)).toBe('answers identity-mismatch failure')
    expect(verdict.detail).toContain(server.fingerprint())
  })
  it('runs nothing on a machine with another host key, and does not log in either', async () => {
    const part = { hostKey: server.fingerprint('stranger'), command: 'exit 0' }
    expect(told(await look(part, server.key('stranger')))).toBe('answers identity-mismatch failure')
  })
  it('is refused with a key that is not known, and as a user that is not', async () => {
    expect(told(await look({}, server.key('stranger')))).toBe('answers authentication-refused failure')
    expect(told(await look({ user: 'nobody-of-this-name' }))).toBe('answers authentication-refused failure')
  })
  it.each([
    ['exit 0', 'answers answered ok', 'the command ended with 0'],
    ['exit 1', 'answers check-warned warning', 'the command ended with 1'],
    ['exit 2', 'answers check-failed failure', 'the command ended with 2'],
    ['echo disk full >&2; exit 3', 'answers check-failed failure', 'the command ended with 3: disk full'],
    ['printf "\\033[2Jload 12"; exit 1', 'answers check-warned warning', 'the command ended with 1: [2Jload 12'],
    ['kill -9 $$', 'answers check-failed failure', 'the command was broken off'],
  ])('runs the command: %s', async (command, expected, detail) => {
    const verdict = await look({ command })
    expect(told(verdict)).toBe(expected)
    expect(verdict.detail).toBe(detail)
  })
  it('keeps little of what a command prints', async () => {
    const { detail } = await look({ command: 'yes | head -c 1000000; exit 2' })
    expect(detail.length).toBeLessThan(1_100)
  })
  it('takes a command that does not end for a check that fails', async () => {
    const looking = () => lookAt(probe({ command: 'sleep 600' }), { sshKey: server.key(), timeoutMs: 3_000 })
    expect(told(await expectCutOff(looking, 3_000))).toBe('answers check-failed failure')
  })
  it('finds silence at a closed port, and where the connection is closed at once', async () => {
    expect(told(await look({ port: await closedPort() }))).toBe('silent refused failure')
    const port = await listening((socket) => socket.destroy())
    expect(told(await look({ port }))).toBe('silent connection-lost failure')
    const polite = await listening((socket) => socket.end())
    expect(told(await look({ port: polite }))).toBe('silent connection-lost failure')
  })
  it('finds silence where connections are taken and nobody speaks', async () => {
    const port = await listening((socket) => socket.resume())
    const looking = () => lookAt(probe({ port }), { sshKey: server.key(), timeoutMs: 300 })
    expect(told(await expectCutOff(looking, 300))).toBe('silent timed-out failure')
  })
  it('finds an answer in what is not ssh', async () => {
    const port = await listening((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(50)))
    expect(told(await look({ port }))).toBe('answers unexpected-answer failure')
  })
  it('goes nowhere without a key', async () => {
    const verdict = await lookAt(probe())
    expect(verdict).toMatchObject({ reach: 'unseen', finding: 'check-failed', level: 'failure' })
  })
})
