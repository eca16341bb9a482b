import { describe, expect, it } from 'vitest'
import type { Finding } from '#contracts/health.ts'
import type { Probe } from '#contracts/probe.ts'
import type { Step, Trouble } from '#libs/outbound/trouble.ts'
import {
  classifyHttp,
  classifySsh,
  classifyTcp,
  type SeenByHttp,
  type SeenBySsh,
  type Verdict,
} from '#services/health/probing/classify.ts'

type HttpProbe = Extract<Probe, { kind: 'http' }>
const probe: HttpProbe = { kind: 'http', url: 'http://a.internal/' }
const everywhere = [
  ['tcp', (seen: Trouble) => classifyTcp(seen)],
  ['http', (seen: Trouble) => classifyHttp(seen, probe)],
  ['ssh', (seen: Trouble) => classifySsh(seen)],
] as const
const fault = (code: string): Trouble => ({ seen: 'fault', code })
const deadline = (step: Step): Trouble => ({ seen: 'deadline', step, timeoutMs: 500 })
const told = ({ reach, finding, level }: Verdict) => [reach, finding, level].join(' ')

describe.each(everywhere)('by %s', (_, classify) => {
  it.each<[string, Trouble, Finding]>([
    ['a closed port', fault('ECONNREFUSED'), 'refused'],
    ['a connection that the system gave up', fault('ETIMEDOUT'), 'timed-out'],
    ['no connection in time', deadline('connect'), 'timed-out'],
    ['nothing said in time while shaking hands', deadline('handshake'), 'timed-out'],
    ['nothing said in time while logging in', deadline('login'), 'timed-out'],
    ['no answer in time', deadline('answer'), 'timed-out'],
    ['no way to the host', fault('EHOSTUNREACH'), 'unreachable'],
    ['a host that is down', fault('EHOSTDOWN'), 'unreachable'],
    ['no way to the network', fault('ENETUNREACH'), 'unreachable'],
    ['an unknown name', fault('ENOTFOUND'), 'name-unknown'],
    ['a connection that is reset', fault('ECONNRESET'), 'connection-lost'],
    ['a connection that is aborted', fault('ECONNABORTED'), 'connection-lost'],
    ['a connection that is closed', fault('EPIPE'), 'connection-lost'],
  ])('%s is silence', (_name, seen, finding) => {
    expect(told(classify(seen))).toBe(`silent ${finding} failure`)
  })
  it.each<[string, Trouble]>([
    ['no file descriptor is left', fault('EMFILE')],
    ['no port is left', fault('EADDRNOTAVAIL')],
    ['our firewall forbids it', fault('EPERM')],
    ['our network is down', fault('ENETDOWN')],
    ['the servers of names fail', fault('EAI_AGAIN')],
    ['the servers of names do not answer', deadline('lookup')],
    ['the look is given up', fault('ECANCELED')],
    ['this process stood still', { seen: 'stall', lateMs: 900 }],
  ])('it says nothing of the machine when %s', (_name, seen) => {
    expect(classify(seen)).toMatchObject({ reach: 'unseen', finding: null, level: null })
  })
  it('an address that is not probed is a mistake that is shown, and no silence', () => {
    const verdict = classify({ seen: 'address', address: '127.0.0.1', range: 'this server itself', allow: 'loopback' })
    expect(told(verdict)).toBe('unseen check-failed failure')
    expect(verdict.detail).toContain('REMUDA_PROBE_ALLOW=loopback')
  })
})

describe('what answers', () => {
  it('by tcp takes the connection, and nothing else is asked', () =>
    expect(told(classifyTcp({ seen: 'connection' }))).toBe('answers answered ok'))

  const answer = (status: number, body: 'unread' | 'matches' | 'differs' | 'broken-off' = 'unread') =>
    ({ seen: 'answer', status, body }) as const
  it.each<[string, SeenByHttp, Partial<HttpProbe>, string]>([
    ['200', answer(200), {}, 'answers answered ok'],
    ['299', answer(299), {}, 'answers answered ok'],
    ['199', answer(199), {}, 'answers unexpected-answer failure'],
    ['a redirect', answer(302), {}, 'answers unexpected-answer failure'],
    ['a redirect that is expected', answer(302), { status: 302 }, 'answers answered ok'],
    ['404', answer(404), {}, 'answers unexpected-answer failure'],
    ['404 that is expected', answer(404), { status: 404 }, 'answers answered ok'],
    ['200 where 204 is expected', answer(200), { status: 204 }, 'answers unexpected-answer failure'],
    ['503', answer(503), {}, 'answers unexpected-answer failure'],
    ['the right body', answer(200, 'matches'), { bodyIncludes: 'up' }, 'answers answered ok'],
    ['another body', answer(200, 'differs'), { bodyIncludes: 'up' }, 'answers unexpected-answer failure'],
    ['half a body', answer(200, 'broken-off'), { bodyIncludes: 'up' }, 'answers unexpected-answer failure'],
    ['half a body that nobody reads', answer(200, 'broken-off'), {}, 'answers answered ok'],
    ['a body that is too slow', deadline('body'), { bodyIncludes: 'up' }, 'answers unexpected-answer failure'],
    ['an expired certificate', { seen: 'tls', code: 'CERT_HAS_EXPIRED' }, {}, 'answers tls-mismatch failure'],
    ['another name', { seen: 'tls', code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, {}, 'answers tls-mismatch failure'],
    ['no TLS at all', { seen: 'tls', code: 'ERR_SSL_WRONG_VERSION_NUMBER' }, {}, 'answers tls-mismatch failure'],
    ['what is not HTTP', { seen: 'not-http', code: 'HPE_INVALID_CONSTANT' }, {}, 'answers unexpected-answer failure'],
  ])('by http with %s', (_name, seen, part, verdict) =>
    expect(told(classifyHttp(seen, { ...probe, ...part }))).toBe(verdict),
  )
  it('by http with a redirect is told why that will not do', () =>
    expect(classifyHttp(answer(301), probe).detail).toBe(
      'it answers 301 where 200 to 299 is expected; redirects are not followed',
    ))

  const exit = (code: number | null, printed = ''): SeenBySsh => ({ seen: 'exit', code, printed })
  it.each<[string, SeenBySsh, string]>([
    ['a login', { seen: 'login' }, 'answers answered ok'],
    ['exit code 0', exit(0), 'answers answered ok'],
    ['exit code 1', exit(1), 'answers check-warned warning'],
    ['exit code 2', exit(2), 'answers check-failed failure'],
    ['exit code 255', exit(255), 'answers check-failed failure'],
    ['a command that is killed', exit(null), 'answers check-failed failure'],
    ['a command that does not end', deadline('command'), 'answers check-failed failure'],
    ['a command that may not be run', { seen: 'not-run', message: 'no' }, 'answers check-failed failure'],
    ['another host key', { seen: 'host-key', shown: 'SHA256:x' }, 'answers identity-mismatch failure'],
    [
      'a key that it does not take',
      { seen: 'error', level: 'client-authentication', message: 'all failed' },
      'answers authentication-refused failure',
    ],
    [
      'algorithms that we do not have',
      { seen: 'error', level: 'handshake', message: 'no match' },
      'answers unexpected-answer failure',
    ],
    [
      'what is not SSH',
      { seen: 'error', level: 'protocol', message: 'bad ident' },
      'answers unexpected-answer failure',
    ],
  ])('by ssh with %s', (_name, seen, verdict) => expect(told(classifySsh(seen))).toBe(verdict))
  it('by ssh is told what the command printed', () =>
    expect(classifySsh(exit(2, 'disk full')).detail).toBe('the command ended with 2: disk full'))
  it('by ssh is not asked by a server without a key, which is a mistake that is shown', () => {
    const verdict = classifySsh({ seen: 'no-key' })
    expect(told(verdict)).toBe('unseen check-failed failure')
    expect(verdict.detail).toContain('REMUDA_PROBE_SSH_KEY_FILE')
  })
})
