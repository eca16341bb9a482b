import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '#libs/systemClock.ts'
import { createLook } from '#services/health/probing/look.ts'
import { closedPort, expectCutOff, listening, lookAt, patientMs, told } from './looking.ts'

const tcp = (port: number, host = '127.0.0.1') => ({ kind: 'tcp', host, port }) as const

/**
 * A port where connections are neither taken nor refused: a process that stands still, with its queue filled. What a
 * router does that throws packets away looks the same from here.
 */
async function blackHole(): Promise<number> {
  const program = `const s = require('net').createServer(); s.listen({ host: '127.0.0.1', port: 0, backlog: 1 },
    () => console.log(s.address().port))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(text.toString())
  child.kill('SIGSTOP')
  for (let taken = true; taken;) {
    const socket: Socket = connect(port, '127.0.0.1').on('error', () => {})
    onTestFinished(() => void socket.destroy())
    taken = await Promise.race([once(socket, 'connect').then(() => true), systemClock.sleep(500).then(() => false)])
  }
  return port
}

describe('a look by tcp', () => {
  it('finds who takes connections, also by name, and says nothing', async () => {
    const heard: (string | Buffer)[] = []
    const port = await listening((socket) => socket.on('data', (text) => heard.push(text)))
    expect(told(await lookAt(tcp(port)))).toBe('answers answered ok')
    expect(told(await lookAt(tcp(port, 'localhost')))).toBe('answers answered ok')
    expect(heard).toEqual([])
  })
  it('lets go of the connection', async () => {
    const closed = Promise.withResolvers<void>()
    const port = await listening((socket) => socket.resume().once('close', closed.resolve))
    await lookAt(tcp(port))
    await closed.promise
  })
  it('finds who closes at once, since the connection was taken', async () => {
    const port = await listening((socket) => socket.destroy())
    expect(told(await lookAt(tcp(port)))).toBe('answers answered ok')
  })
  it('finds silence at a closed port', async () =>
    expect(told(await lookAt(tcp(await closedPort())))).toBe('silent refused failure'))
  it('finds silence where nothing ever comes back, within its time', async () => {
    const port = await blackHole()
    const verdict = await expectCutOff(() => lookAt(tcp(port), { timeoutMs: 300 }), 300)
    expect(verdict).toMatchObject({ reach: 'silent', finding: 'timed-out', detail: 'no connection within 300 ms' })
  })
  it('is cancelled at once', async () => {
    const port = await blackHole()
    const cancel = new AbortController()
    const looking = createLook(systemClock, { allow: ['loopback'] })(tcp(port), 10 * patientMs, cancel.signal)
    cancel.abort()
    expect(await looking).toMatchObject({ reach: 'unseen', finding: null })
  })
  it('finds no machine of a name that cannot be', async () => {
    // Names below `invalid` are promised never to exist (RFC 6761); without a server of names nothing is known.
    const { reach, finding } = await lookAt(tcp(80, 'nobody.invalid'))
    expect(['silent name-unknown', 'unseen null']).toContain(`${reach} ${finding}`)
  })
  it.each(['localhost', '127.0.0.1', '::ffff:127.0.0.1'])('does not go to %s unless that is allowed', async (host) => {
    let connections = 0
    const port = await listening(() => (connections += 1))
    const look = createLook(systemClock, { allow: [] })
    const verdict = await look(tcp(port, host), patientMs, new AbortController().signal)
    expect(verdict).toMatchObject({ reach: 'unseen', finding: 'check-failed', level: 'failure' })
    expect(verdict.detail).toContain('REMUDA_PROBE_ALLOW=loopback')
    expect(connections).toBe(0)
  })
})
