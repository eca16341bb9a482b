import { BlockList, isIP } from 'node:net'

/** Addresses that a server could be abused for: what answers there is itself, or its cloud, and nobody else. */
interface Range {
  readonly name: string
  /** What the administrator may call the whole range; null where an address has to be named. */
  readonly word: string | null
  readonly subnets: readonly string[]
}

// The first that fits has its say, so a metadata service is not allowed by allowing all that is link-local.
const ranges: readonly Range[] = [
  {
    name: 'the metadata service of a cloud',
    word: null,
    subnets: [
      ...['169.254.169.254/32', '169.254.170.2/32', 'fd00:ec2::254/128', 'fd20:ce::254/128'],
      ...['100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32'],
      // As a translating gateway would reach it (RFC 6052).
      '64:ff9b::a9fe:a9fe/128',
    ],
  },
  { name: 'this server itself', word: 'loopback', subnets: ['127.0.0.0/8', '::1/128', '64:ff9b::7f00:0/104'] },
  { name: 'link-local', word: 'link-local', subnets: ['169.254.0.0/16', 'fe80::/10', '64:ff9b::a9fe:0/112'] },
  { name: 'no address of a machine', word: null, subnets: ['0.0.0.0/8', '::/128', '255.255.255.255/32'] },
  { name: 'a multicast address', word: null, subnets: ['224.0.0.0/4', 'ff00::/8'] },
]
/** Where machines usually are, and where nobody from outside should be able to send a server. */
const privateRange: Range = {
  ...{ name: 'a private network', word: 'private' },
  subnets: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'],
}

const words: readonly string[] = [...ranges, privateRange].flatMap(({ word }) => word ?? [])
const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')
const refused = [...ranges, privateRange].map((range) => ({ ...range, list: listOf(range.subnets) }))

function listOf(subnets: readonly string[]): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [address = '', bits] = subnet.split('/')
    if (bits === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(bits), familyOf(address))
  }
  return list
}

/** Whether the administrator may say so where addresses are allowed: a word for a range, an address, or a subnet. */
export function isAllowance(text: string): boolean {
  if (words.includes(text)) return true
  const [address = '', bits, more] = text.split('/')
  const bitsMax = isIP(address) === 6 ? 128 : 32
  return isIP(address) > 0 && more === undefined && (bits === undefined || (/^\d+$/.test(bits) && +bits <= bitsMax))
}

export interface RefusedAddress {
  readonly address: string
  readonly range: string
  /** What would have to be allowed for it. */
  readonly allow: string
}

/**
 * Says of addresses whether the server may go there. It is asked of what a name has been resolved to, just before the
 * connection is made to that very address: a name that means one thing now and another a moment later gains nothing.
 * @param allow what `isAllowance` accepts
 * @param refusesPrivate whether private networks are refused as well
 */
export function createGuard(
  allow: readonly string[],
  { refusesPrivate = false } = {},
): (address: string) => RefusedAddress | null {
  const allowed = listOf(allow.filter((text) => !words.includes(text)))
  return (text) => {
    // The interface that a link-local address is reached by is no part of it.
    const address = text.split('%', 1)[0]!
    const family = familyOf(address)
    if (allowed.check(address, family)) return null
    const range = refused.find(({ list }) => list.check(address, family))
    if (
      range === undefined ||
      (range.word === privateRange.word && !refusesPrivate) ||
      (range.word !== null && allow.includes(range.word))
    )
      return null
    return { address: text, range: range.name, allow: range.word ?? address }
  }
}
