import { describe, expect, it } from 'vitest'
import { BusFault } from '#libs/bus/bus.ts'
import { readAddress } from '#libs/bus/nats/address.ts'
import { isSafe } from '#libs/bus/nats/connect.ts'

describe('an address of NATS', () => {
  it.each([
    ['nats://one', { servers: ['one'], tls: false, login: null }],
    ['nats://one:4222/', { servers: ['one:4222'], tls: false, login: null }],
    ['nats://one:4222,two:4223, three', { servers: ['one:4222', 'two:4223', 'three'], tls: false, login: null }],
    ['nats://one,nats://two', { servers: ['one', 'two'], tls: false, login: null }],
    ['nats://[::1]:4222', { servers: ['[::1]:4222'], tls: false, login: null }],
    ['tls://one', { servers: ['one'], tls: true, login: null }],
    ['nats://one,tls://two', { servers: ['one', 'two'], tls: true, login: null }],
    ['nats://kim:secret@one', { servers: ['one'], tls: false, login: { user: 'kim', pass: 'secret' } }],
    ['nats://kim:a%40b%2C%3A%25@one', { servers: ['one'], tls: false, login: { user: 'kim', pass: 'a@b,:%' } }],
    ['nats://kim:s@one,kim:s@two', { servers: ['one', 'two'], tls: false, login: { user: 'kim', pass: 's' } }],
    ['nats://kim:s@one,two', { servers: ['one', 'two'], tls: false, login: { user: 'kim', pass: 's' } }],
    ['nats://a-token@one', { servers: ['one'], tls: false, login: { token: 'a-token' } }],
  ])('is read from %s', (url, address) => expect(readAddress(url)).toEqual(address))

  it.each([
    'nats://',
    'nats://one,',
    'nats://one:port',
    'nats://one/path',
    'nats://one?x=1',
    'nats://one,ws://two',
    'nats://kim:secret@one,pat:secret@two',
    'nats://kim:secret@',
  ])('is refused as %s, with the setting, an example and no password', (url) => {
    const read = () => readAddress(url)
    expect(read).toThrow(BusFault)
    expect(read).toThrow(/^REMUDA_BUS_URL: .*nats:\/\/host:4222/)
    expect(read).not.toThrow(/secret/)
  })
})

describe('a server of NATS', () => {
  it.each(['2.11.16', '2.11.20', '2.12.7', '2.13.0', '2.14.0-preview.1', '2.14.5', '3.0.0'])(
    'is new enough at %s',
    (version) => expect(isSafe(version)).toBe(true),
  )
  it.each(['2.9.10', '2.10.29', '2.11.15', '2.11.16-RC.1', '2.12.0', '2.12.6', '2.12.7-RC.2', '1.4.1', '', 'unknown'])(
    'is too old at "%s"',
    (version) => expect(isSafe(version)).toBe(false),
  )
})
