import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  ConfigMistakes,
  describeConfig,
  onOff,
  readConfig,
  timeSpan,
  unknownVariables,
  wholeNumber,
} from '#libs/config.ts'

const schema = z.object({
  host: z.string().default('127.0.0.1').describe('the address to listen on'),
  port: wholeNumber(0, 65_535).default(4780).describe('the port to listen on'),
  storeUrl: z.string().optional().describe('the event store'),
  pretty: onOff.default(false).describe('coloured lines'),
  graceMs: timeSpan(0, 60_000).default(10_000),
  logLevel: z.enum(['info', 'warn']).default('info'),
  adminToken: z.string().regex(/^rmd_/, 'no token of ours').optional().meta({ secret: true, accepted: 'a token' }),
})
const read = (argv: string[], env: Record<string, string> = {}) => readConfig(schema, { env, argv })
const mistakesOf = (argv: string[], env: Record<string, string> = {}) => {
  try {
    read(argv, env)
  } catch (error) {
    if (error instanceof ConfigMistakes) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'remuda-config-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (text: string) => {
  const path = join(folder, String(text.length))
  writeFileSync(path, text)
  return path
}

describe('reading the configuration', () => {
  it('takes what is not set from the defaults', () => {
    expect(read([])).toEqual({ host: '127.0.0.1', port: 4780, pretty: false, graceMs: 10_000, logLevel: 'info' })
  })
  it('gives variables and flags the same names, and the flag wins', () => {
    const env = { REMUDA_STORE_URL: 'sqlite:', REMUDA_PORT: '1' }
    expect(read([], env)).toMatchObject({ storeUrl: 'sqlite:', port: 1 })
    expect(read(['--store-url', 'memory:', '--port=2'], env)).toMatchObject({ storeUrl: 'memory:', port: 2 })
  })
  it('treats an empty variable as not set', () => expect(read([], { REMUDA_PORT: '' }).port).toBe(4780))
  it.each([
    ['on', true],
    ['true', true],
    ['off', false],
    ['false', false],
  ])('reads %s as %s', (text, value) => {
    expect(read([`--pretty=${text}`]).pretty).toBe(value)
  })
  it('takes a secret from the file that its variable with _FILE names; what is set directly wins', () => {
    const env = { REMUDA_ADMIN_TOKEN_FILE: file('rmd_from_a_file\n') }
    expect(read([], env).adminToken).toBe('rmd_from_a_file')
    expect(read([], { ...env, REMUDA_ADMIN_TOKEN: 'rmd_direct' }).adminToken).toBe('rmd_direct')
    expect(read(['--admin-token', 'rmd_flag'], env).adminToken).toBe('rmd_flag')
    expect(read([], { REMUDA_HOST_FILE: file('elsewhere') }).host).toBe('127.0.0.1')
    expect(unknownVariables([schema], { ...env, REMUDA_HOST_FILE: 'x' })).toEqual(['REMUDA_HOST_FILE'])
  })
  it('takes a switch that stands alone as on', () => expect(read(['--pretty', '--port', '9']).pretty).toBe(true))
  it.each([
    ['10s', 10_000],
    ['250', 250],
    ['60s', 60_000],
  ])('reads the duration %s', (text, ms) => {
    expect(read(['--grace-ms', text]).graceMs).toBe(ms)
  })
})

describe('mistakes in the configuration', () => {
  it('are all reported at once, each with what is accepted', () => {
    const error = mistakesOf(['--prot', '80', '--pretty=maybe', '--port', 'tcp://10.0.0.1'], {
      REMUDA_GRACE_MS: 'soon',
    })
    expect(error.mistakes.map(({ name }) => name).sort()).toEqual(['--port', '--pretty', '--prot', 'REMUDA_GRACE_MS'])
    expect(error.message).toContain('4 mistakes')
    expect(error.message).toContain('a whole number from 0 to 65535')
    expect(error.message).toContain('on or off')
    expect(error.message).toContain('10s')
  })
  it('list the words that a choice takes', () => {
    expect(mistakesOf(['--log-level', 'loud']).mistakes[0]?.accepted).toBe('info, warn.')
  })
  it('name numbers out of range', () => expect(mistakesOf(['--port', '65536']).message).toContain('more than 65535'))
  it('name a flag without its value, and a flag given twice', () => {
    expect(mistakesOf(['--port']).mistakes).toEqual([
      { name: '--port', wrong: 'it has no value.', accepted: 'a whole number from 0 to 65535.' },
    ])
    expect(mistakesOf(['--host']).message).toContain('--host: it has no value.')
    expect(mistakesOf(['--host=']).message).toContain('--host: it has no value.')
    expect(mistakesOf(['--port=1', '--port=2']).message).toContain('given twice')
    expect(mistakesOf(['--port', '1', '--port', '2']).mistakes).toHaveLength(1)
  })
  it('name what is required and missing by its variable', () => {
    const required = z.object({ natsUrl: z.string() })
    expect(() => readConfig(required, { env: {}, argv: [] })).toThrow(/REMUDA_NATS_URL: it is not set/)
  })
  it('name a file that cannot be read, and never what is in one', () => {
    const missing = mistakesOf([], { REMUDA_ADMIN_TOKEN_FILE: '/no/such/file' }).message
    expect(missing).toMatch(/REMUDA_ADMIN_TOKEN_FILE: "\/no\/such\/file" cannot be read \(ENOENT\)/)
    const bad = mistakesOf([], { REMUDA_ADMIN_TOKEN_FILE: file('hush') }).message
    expect(bad).toMatch(/REMUDA_ADMIN_TOKEN_FILE: its value is not accepted/)
    expect(bad).not.toContain('hush')
  })
  it('never repeat a secret', () => {
    const { message } = mistakesOf([], { REMUDA_ADMIN_TOKEN: 'hunter2' })
    expect(message).toContain('REMUDA_ADMIN_TOKEN')
    expect(message).not.toContain('hunter2')
  })
})

describe('explaining the configuration', () => {
  it('lists each setting with both names and its default', () => {
    expect(describeConfig(schema)[1]).toEqual({
      flag: '--port',
      variable: 'REMUDA_PORT',
      purpose: 'the port to listen on',
      accepted: 'a whole number from 0 to 65535',
      unset: '4780',
    })
  })
  it('finds variables of ours that no setting has', () => {
    const env = { REMUDA_PORT: '1', REMUDA_PROT: '1', PATH: '/bin' }
    expect(unknownVariables([schema], env)).toEqual(['REMUDA_PROT'])
  })
})
