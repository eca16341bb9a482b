import { isAbsolute, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigMistakes } from '#libs/config.ts'
import { readAgentConfig } from '#services/agent/config.ts'

const read = (...argv: string[]) => readAgentConfig({ env: {}, argv: ['--server', 'http://localhost:4780', ...argv] })

describe('the configuration of an agent', () => {
  it('holds on to its data folder wherever a script runs', () => {
    expect(read('--data', 'here').data).toBe(resolve('here'))
    expect(isAbsolute(read().data)).toBe(true)
  })

  it('takes roles and attributes one by one or divided by commas', () => {
    const { role, attribute } = read('--role', 'web', '--role', 'db', '--attribute', 'zone=a,rack=r1')
    expect(role).toEqual(['web', 'db'])
    expect(attribute).toEqual({ zone: 'a', rack: 'r1' })
    expect(read('--role', 'web,db').role).toEqual(['web', 'db'])
  })

  it('takes its join token from one place only', () => {
    expect(() => read('--token', 'x', '--token-file', 'y')).toThrow(ConfigMistakes)
  })
})
