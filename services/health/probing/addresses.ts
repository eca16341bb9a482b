import { BlockList, isIP } from 'node:net'

/** Addresses that a probe could be abused for: what answers there is this server, or its cloud, and not a machine. */
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

const words: readonly string[] = ranges.flatMap(({ word }) => word ?? [])
const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')
const refused = ranges.map((range) => ({ ...range, list: listOf(range.subnets) }))

function listOf(subnets: readonly string[]): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [address = '', bits] = subnet.split('/')
    if (bits === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(bits), familyOf(address))
  }
  return list
}

/** Whether the administrator may say so in `REMUDA_PROBE_ALLOW`: a word for a range, an address, or a subnet. */
export function isAllowance(text: string): boolean {
  if (words.includes(text)) return true
  const [address = '', bits, more] = text.split('/')
  const bitsMax = isIP(address) === 6 ? 128 : 32
  return isIP(address) > 0 && more === undefined && (bits === undefined || (/^\d+$/.test(bits) && +bits <= bitsMax))
}

export interface RefusedAddress {
  readonly address: string
  readonly range: string
  /** What would have to be in `REMUDA_PROBE_ALLOW` for it. */
  readonly allow: string
}

/**
 * Says of addresses whether probes may go there. It is asked of what a name has been resolved to, just before the
 * connection is made to that very address: a name that means one thing now and another a moment later gains nothing.
 * @param allow what `isAllowance` accepts
 */
export function createGuard(allow: readonly string[]): (address: string) => RefusedAddress | null {
  const allowed = listOf(allow.filter((text) => !words.includes(text)))
  return (text) => {
    // The interface that a link-local address is reached by is no part of it.
    const address = text.split('%', 1)[0]!
    const family = familyOf(address)
    if (allowed.check(address, family)) return null
    const range = refused.find(({ list }) => list.check(address, family))
    if (range === undefined || (range.word !== null && allow.includes(range.word))) return null
    return { address: text, range: range.name, allow: range.word ?? address }
  }
}
