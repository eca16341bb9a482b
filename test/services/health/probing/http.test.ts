import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Probe } from '#contracts/probe.ts'
import { bodyReadMaxBytes } from '#services/health/probing/http.ts'
import { findServer } from '#test/support/servers.ts'
import { closedPort, expectCutOff, listening, lookAt, portOf, told } from './looking.ts'

type Part = Partial<Extract<Probe, { kind: 'http' }>>
const http = (port: number, part: Part = {}) =>
  ({ kind: 'http', url: `http://127.0.0.1:${port}/healthz?deep=1`, ...part }) as const
const serving = (serve: RequestListener) => portOf(createServer(serve))
const lookAtServer = async (serve: RequestListener, part: Part = {}, timeoutMs?: number) =>
  lookAt(http(await serving(serve), part), timeoutMs === undefined ? {} : { timeoutMs })

describe('a look by http', () => {
  it('asks once for the whole path and finds who answers well', async () => {
    const asked: string[] = []
    const verdict = await lookAtServer(({ method, url, headers }, response) => {
      asked.push(`${method} ${url} ${headers['user-agent']} ${headers.host!.split(':')[0]}`)
      response.end('up')
    })
    expect(verdict).toMatchObject({ reach: 'answers', finding: 'answered', level: 'ok', detail: 'it answers 200' })
    expect(asked).toEqual(['GET /healthz?deep=1 remuda-probe 127.0.0.1'])
  })
  it.each([
    [503, {}, 'answers unexpected-answer failure'],
    [404, { status: 404 }, 'answers answered ok'],
    [200, { status: 204 }, 'answers unexpected-answer failure'],
  ])('compares the status: %s', async (status, part, verdict) =>
    expect(told(await lookAtServer((_, response) => response.writeHead(status).end(), part))).toBe(verdict),
  )
  it('does not follow redirects', async () => {
    let asked = 0
    const verdict = await lookAtServer((_, response) => {
      asked += 1
      response.writeHead(302, { location: '/healthz' }).end()
    })
    expect(verdict).toMatchObject({ reach: 'answers', finding: 'unexpected-answer' })
    expect(verdict.detail).toContain('redirects are not followed')
    expect(asked).toBe(1)
  })
  it('does not wait for a body that it does not need', async () => {
    const verdict = await lookAtServer((_, response) => response.writeHead(200).write('half'))
    expect(told(verdict)).toBe('answers answered ok')
  })

  const secret = 'the password is swordfish'
  it.each([
    ['contains it', 'status: up', 'answers answered ok'],
    ['contains it in two pieces', ['status: u', 'p'], 'answers answered ok'],
    ['does not contain it', secret, 'answers unexpected-answer failure'],
    ['is empty', '', 'answers unexpected-answer failure'],
  ])('looks into the answer when it must: it %s', async (_, body, expected) => {
    const [first = '', second = ''] = [body].flat()
    const verdict = await lookAtServer(
      (_request, response) => {
        response.write(first)
        setTimeout(() => response.end(second), 20)
      },
      { bodyIncludes: 'status: up' },
    )
    expect(told(verdict)).toBe(expected)
    expect(verdict.detail).not.toContain('swordfish')
  })
  it('reads no more of it than the limit', async () => {
    let sent = 0
    const piece = Buffer.alloc(65_536, 'x')
    const huge =
      (end: string): RequestListener =>
      (_, response) => {
        const more = () => {
          while (!response.destroyed && sent < 100 * bodyReadMaxBytes) {
            sent += piece.length
            if (!response.write(piece)) return void response.once('drain', more)
          }
          response.end(end)
        }
        more()
      }
    const verdict = await lookAtServer(huge('up'), { bodyIncludes: 'up' })
    expect(told(verdict)).toBe('answers unexpected-answer failure')
    expect(sent).toBeLessThan(100 * bodyReadMaxBytes)
  })
  it('finds it at the limit, and not beyond', async () => {
    const at =
      (offset: number): RequestListener =>
      (_, response) =>
        response.end(`${'x'.repeat(offset)}up`)
    const exactly = bodyReadMaxBytes - 2
    expect(told(await lookAtServer(at(exactly), { bodyIncludes: 'up' }))).toBe('answers answered ok')
    const beyond = await lookAtServer(at(exactly + 1), { bodyIncludes: 'up' })
    expect(told(beyond)).toBe('answers unexpected-answer failure')
  })
  it('takes a body that is too slow for an answer that will not do, and no silence', async () => {
    const serve: RequestListener = (_, response) => response.writeHead(200).write('never en')
    const verdict = await expectCutOff(() => lookAtServer(serve, { bodyIncludes: 'ended' }, 400), 400)
    expect(told(verdict)).toBe('answers unexpected-answer failure')
  })
  it('takes a body that breaks off for an answer that will not do', async () => {
    const verdict = await lookAtServer(
      ({ socket }, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('half')
        setTimeout(() => socket.destroy(), 20)
      },
      { bodyIncludes: 'whole' },
    )
    expect(told(verdict)).toBe('answers unexpected-answer failure')
    expect(verdict.detail).toContain('breaks off')
  })

  it('finds silence at a closed port', async () =>
    expect(told(await lookAt(http(await closedPort())))).toBe('silent refused failure'))
  it('finds silence where connections are taken and nobody answers', async () => {
    const port = await listening((socket) => socket.resume())
    const verdict = await expectCutOff(() => lookAt(http(port), { timeoutMs: 300 }), 300)
    expect(told(verdict)).toBe('silent timed-out failure')
  })
  it('finds silence where the connection is closed at once', async () => {
    const port = await listening((socket) => socket.destroy())
    expect(told(await lookAt(http(port)))).toBe('silent connection-lost failure')
  })
  it('finds an answer in what is not http', async () => {
    const port = await listening((socket) => socket.end('220 mail.example.com ESMTP\r\n'))
    expect(told(await lookAt(http(port)))).toBe('answers unexpected-answer failure')
  })
})

const openssl = await findServer('openssl', 'openssl')
describe.skipIf(openssl === null)('a look by https', () => {
  const usual = getCACertificates()
  const folder = mkdtempSync(join(tmpdir(), 'remuda-tls-'))
  const file = (name: string) => join(folder, name)
  const sign = (...words: string[]) => execFileSync(openssl!, words, { stdio: 'pipe' })
  const newKey = (key: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    key,
  ]
  /** Signs a certificate for a name. */
  const certify = (name: string, forName: string, days: string) => {
    const names = ['-subj', `/CN=${forName}`, '-addext', `subjectAltName=${forName}`]
    sign('req', ...newKey(file(`${name}.key`)), '-out', file(`${name}.csr`), ...names)
    const by = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-copy_extensions', 'copy', '-days', days]
    sign('x509', '-req', '-in', file(`${name}.csr`), '-out', file(`${name}.pem`), ...by)
  }
  beforeAll(() => {
    sign('req', '-x509', ...newKey(file('ca.key')), '-out', file('ca.pem'), '-subj', '/CN=ca', '-days', '2')
    certify('good', 'DNS:localhost', '2')
    certify('address', 'IP:127.0.0.1', '2')
    certify('other', 'DNS:elsewhere.example.com', '2')
    certify('expired', 'DNS:localhost', '-1')
    sign('req', '-x509', ...newKey(file('self.key')), '-out', file('self.pem'), '-subj', '/CN=localhost', '-days', '2')
    setDefaultCACertificates([...usual, readFileSync(file('ca.pem'), 'utf8')])
  })
  afterAll(() => {
    setDefaultCACertificates(usual)
    rmSync(folder, { recursive: true, force: true })
  })
  const showing = (name: string) =>
    portOf(
      createSecureServer({ cert: readFileSync(file(`${name}.pem`)), key: readFileSync(file(`${name}.key`)) }, (_, to) =>
        to.end('up'),
      ),
    )

  it.each([
    ['good', 'localhost', 'answers answered ok'],
    ['address', '127.0.0.1', 'answers answered ok'],
    ['good', '127.0.0.1', 'answers tls-mismatch failure'],
    ['other', 'localhost', 'answers tls-mismatch failure'],
    ['expired', 'localhost', 'answers tls-mismatch failure'],
    ['self', 'localhost', 'answers tls-mismatch failure'],
  ])('with the certificate %s as %s', async (name, host, expected) => {
    const url = `https://${host}:${await showing(name)}/`
    expect(told(await lookAt({ kind: 'http', url, bodyIncludes: 'up' }))).toBe(expected)
  })
  it('names what is wrong with a certificate', async () => {
    const { detail } = await lookAt({ kind: 'http', url: `https://localhost:${await showing('expired')}/` })
    expect(detail).toContain('CERT_HAS_EXPIRED')
  })
  it('finds an answer where there is no TLS', async () => {
    const port = await serving((_, response) => response.end())
    expect(told(await lookAt({ kind: 'http', url: `https://localhost:${port}/` }))).toBe('answers tls-mismatch failure')
  })
  it('finds silence where the connection is closed at once, or nobody shakes hands', async () => {
    const closing = await listening((socket) => socket.destroy())
    const closed = await lookAt({ kind: 'http', url: `https://localhost:${closing}/` })
    expect(told(closed)).toBe('silent connection-lost failure')
    const mute = await listening((socket) => socket.resume())
    const looking = () => lookAt({ kind: 'http', url: `https://localhost:${mute}/` }, { timeoutMs: 300 })
    expect(told(await expectCutOff(looking, 300))).toBe('silent timed-out failure')
  })
})
