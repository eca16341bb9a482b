import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createGuard, isAllowance } from '#libs/outbound/addresses.ts'

const guard = createGuard([])

describe('addresses that are not probed', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['0:0:0:0:0:ffff:7f00:0001', 'loopback'],
    ['64:ff9b::127.0.0.1', 'loopback'],
    ['169.254.1.1', 'link-local'],
    ['::ffff:169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['febf::1', 'link-local'],
    ['169.254.169.254', '169.254.169.254'],
    ['::ffff:169.254.169.254', '::ffff:169.254.169.254'],
    ['::ffff:a9fe:a9fe', '::ffff:a9fe:a9fe'],
    ['64:ff9b::169.254.169.254', '64:ff9b::169.254.169.254'],
    ['fd00:ec2::254', 'fd00:ec2::254'],
    ['100.100.100.200', '100.100.100.200'],
    ['168.63.129.16', '168.63.129.16'],
    ['0.0.0.0', '0.0.0.0'],
    ['0.1.2.3', '0.1.2.3'],
    ['::', '::'],
    ['::ffff:0.0.0.0', '::ffff:0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['224.0.0.1', '224.0.0.1'],
    ['239.255.255.255', '239.255.255.255'],
    ['ff02::1', 'ff02::1'],
  ])('%s, unless %s is allowed', (address, allow) => {
    expect(guard(address)).toMatchObject({ address, allow })
    expect(isAllowance(allow)).toBe(true)
    expect(createGuard([allow])(address)).toBeNull()
    expect(createGuard(['192.0.2.0/24', '2001:db8::/32'])(address)).not.toBeNull()
  })
  it('are allowed by the subnet as well', () => {
    expect(createGuard(['127.0.0.0/8'])('127.0.0.1')).toBeNull()
    expect(createGuard(['127.0.0.0/8'])('::ffff:127.0.0.1')).toBeNull()
    expect(createGuard(['fe80::/10'])('fe80::2')).toBeNull()
  })
  it('stay refused where another range is allowed', () => {
    expect(createGuard(['loopback'])('169.254.1.1')).not.toBeNull()
    expect(createGuard(['link-local'])('127.0.0.1')).not.toBeNull()
  })
  it('of a metadata service have to be named, whatever range they lie in', () => {
    expect(createGuard(['link-local', 'loopback'])('169.254.169.254')).not.toBeNull()
    expect(createGuard(['link-local', 'loopback'])('::ffff:169.254.169.254')).not.toBeNull()
  })
})

describe('addresses of machines', () => {
  it.each(['10.0.0.7', '192.168.1.1', '172.16.0.1', '100.64.0.1', '8.8.8.8', 'fd12::1', '2001:db8::1', '128.0.0.1'])(
    '%s is probed',
    (address) => expect(guard(address)).toBeNull(),
  )
  it('are probed the same in both notations', () =>
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(guard(`::ffff:${address}`) === null).toBe(guard(address) === null)
      }),
    ))
})

describe('private networks', () => {
  const strict = createGuard([], { refusesPrivate: true })
  it.each(['10.0.0.7', '192.168.1.1', '172.16.0.1', '100.64.0.1', 'fd12::1', '127.0.0.1', '::ffff:10.0.0.7'])(
    '%s is refused where they are',
    (address) => expect(strict(address)).not.toBeNull(),
  )
  it.each(['8.8.8.8', '2001:db8::1', '172.32.0.1'])('%s is in none', (address) => expect(strict(address)).toBeNull())
  it('are allowed by their word', () => {
    const guard = createGuard(['private'], { refusesPrivate: true })
    expect([guard('10.0.0.7'), guard('127.0.0.1')?.allow]).toEqual([null, 'loopback'])
  })
})

describe('what may be allowed', () => {
  it.each(['loopback', 'link-local', '127.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '::1', 'fe80::/10', '::/0'])(
    '%s',
    (text) => expect(isAllowance(text)).toBe(true),
  )
  it.each([
    '',
    'localhost',
    'Loopback',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    'fe80::/129',
    '300.0.0.1',
  ])('is not "%s"', (text) => expect(isAllowance(text)).toBe(false))
})
