import { gzipSync } from 'node:zlib'
import type { PackageFaultCode } from '#services/agent/packages/fault.ts'
import { unpackDefaults, type UnpackLimits } from '#services/agent/packages/limits.ts'
import { gnuLong, pax, paxRecord, tar, tarEnd, tarEntry, type TarEntry } from './tarBytes.ts'
import { extraField, largeSizes, zip, type ZipEntry } from './zipBytes.ts'

export interface HostileArchive {
  readonly what: string
  readonly bytes: Uint8Array
  readonly code: PackageFaultCode
}

/** Small enough that a test can go beyond them. */
export const smallLimits: UnpackLimits = {
  ...unpackDefaults,
  entriesMax: 200,
  unpackedBytesMax: 4_000_000,
  fileBytesMax: 1_000_000,
  ratioFreeBytes: 100_000,
}

const file: TarEntry = { name: 'app/run.sh', content: '#!/bin/sh\n', mode: 0o755 }
const gnu = 'ustar  \0'
const symlink = (name: string, link: string): TarEntry => ({ name, type: '2', link })
const hardlink = (name: string, link: string): TarEntry => ({ name, type: '1', link })
const long = (letter: string, count: number) => letter.repeat(count)
const deep = Array.from({ length: 40 }, () => 'd').join('/')
const zeros = Buffer.alloc(900_000)

type Row = readonly [what: string, bytes: Uint8Array, code: PackageFaultCode]
const rows = (code: PackageFaultCode, archives: Record<string, Uint8Array>): readonly Row[] =>
  Object.entries(archives).map(([what, bytes]) => [what, bytes, code])

/** Names that lead out, or mean one thing here and another there: in a tar by all its ways to name, and in a zip. */
const names: Record<string, string> = {
  'one up': '../x',
  'up and further up': 'a/../../x',
  'up with a dot before': './../x',
  'only up': '..',
  'down and up to where it began': 'a/..',
  absolute: '/etc/cron.d/x',
  'absolute with two slashes': '//server/share/x',
  'up with backslashes': '..\\x',
  'down and up with backslashes': 'a\\..\\..\\x',
  'a drive': 'C:\\x',
  'a drive with a slash': 'C:/x',
  'relative to a drive': 'C:x',
  'a share': '\\\\server\\share\\x',
  'a line break': 'a\nb',
  'a NUL': 'a\0b',
  'an escape sequence': 'a\x1b[2Jb',
  'a delete': 'a\x7fb',
  'a control of Latin 1': 'a\x85b',
  'letters that run backwards': 'a\u202egnp.exe',
  'an empty part': 'a//b',
  'a part that is a dot': 'a/./b',
  'a very long path': Array.from({ length: 30 }, () => long('n', 60)).join('/'),
  'a very long part': long('n', 300),
  'too many folders': `${deep}/x`,
}

const badNames: readonly Row[] = Object.entries(names).flatMap(([what, name]): readonly Row[] => [
  [`tar, POSIX: ${what}`, tar(file, pax({ path: name }), { name: 'innocent', content: 'x' }), 'PACKAGE_NAME_UNSAFE'],
  [
    `zip: ${what}`,
    zip([
      { name: 'a.txt', content: 'a' },
      { name, content: 'x' },
    ]),
    'PACKAGE_NAME_UNSAFE',
  ],
])

const otherNames = rows('PACKAGE_NAME_UNSAFE', {
  'tar: one up, in the plain header': tar(file, { name: '../x', content: 'x' }),
  'tar.gz: one up': gzipSync(tar(file, { name: '../x', content: 'x' })),
  'tar: one up, by the prefix': tar(file, { name: 'x', prefix: '..', content: 'x' }),
  'tar: absolute, by an empty beginning': tar(file, { name: '/x', prefix: '', content: 'x' }),
  'tar: one up, by a long name of GNU': tar(file, gnuLong('L', '../x'), { name: 'y', content: 'x', magic: gnu }),
  'tar: a folder one up': tar(file, { name: '../x/', type: '5' }),
  'tar: no name': tar(file, { name: '', content: 'x' }),
  'tar: a file called like the root': tar(file, { name: './', content: 'x' }),
  'tar: a file called like a folder': tar(file, { name: 'a/', content: 'x' }),
  'tar: not UTF-8': tar(file, { name: Uint8Array.of(0x61, 0xff, 0xfe), content: 'x' }),
  'tar: overlong UTF-8 that spells a slash': tar(file, { name: Buffer.from('2e2ec0af78', 'hex'), content: 'x' }),
  'zip: not UTF-8': zip([{ name: Uint8Array.of(0x61, 0xff, 0xfe), content: 'x' }]),
})

const links = rows('PACKAGE_LINK_UNSAFE', {
  'tar: a link to the system': tar(file, symlink('l', '/etc')),
  'tar: a link one up': tar(file, symlink('l', '..')),
  'tar: a link one up and beside': tar(file, symlink('l', '../outside')),
  'tar: a link too far up from a folder': tar(file, symlink('app/l', '../../outside')),
  'tar: a link down and too far up': tar(file, symlink('l', 'app/../../outside')),
  'tar: a link that climbs through another one': tar(
    { name: 'd1/d2/f', content: 'x' },
    symlink('d1/d2/up', '../..'),
    symlink('l', 'd1/d2/up/..'),
  ),
  'tar: a link to nothing': tar(file, symlink('l', '')),
  'tar: a link with backslashes': tar(file, symlink('l', '..\\outside')),
  'tar: a link to a drive': tar(file, symlink('l', 'C:/Windows')),
  'tar: a link with a control character': tar(file, symlink('l', 'a\nb')),
  'tar: a link out, by a long target of GNU': tar(file, gnuLong('K', '../../outside'), {
    ...symlink('l', 'x'),
    magic: gnu,
  }),
  'tar: a link out, by an extended header': tar(file, pax({ linkpath: '../outside' }), symlink('l', 'x')),
  'tar: a file below a link': tar(file, symlink('l', 'app'), { name: 'l/x', content: 'x' }),
  'tar: a file below a link to where it is': tar(symlink('l', '.'), { name: 'l/l/x', content: 'x' }),
  'tar: a link below a link': tar(file, symlink('l', 'app'), symlink('l/m', '..')),
  'tar: a file below a file': tar(file, { name: 'app/run.sh/x', content: 'x' }),
  'tar: a hard link to the link that leads to the file': tar(file, symlink('l', 'app/run.sh'), hardlink('h', 'l')),
  'tar: a hard link to what is not there': tar(file, hardlink('h', 'nothing')),
  'tar: a hard link to what comes later': tar(hardlink('h', 'late'), { name: 'late', content: 'x' }),
  'tar: a hard link to itself': tar(file, hardlink('h', 'h')),
  'tar: a hard link to a folder': tar({ name: 'd/', type: '5' }, hardlink('h', 'd')),
  'zip: a link out': zip([{ name: 'l', content: '../outside', mode: 0o120777 }]),
  'zip: a link to the system': zip([{ name: 'l', content: '/etc', mode: 0o120777 }]),
  'zip: a file below a link': zip([
    { name: 'l', content: '.', mode: 0o120777 },
    { name: 'l/x', content: 'x' },
  ]),
})

const hardLinksOut = rows('PACKAGE_NAME_UNSAFE', {
  'tar: a hard link to the system': tar(file, hardlink('h', '/etc/passwd')),
  'tar: a hard link one up': tar(file, hardlink('h', '../outside')),
  'tar: a hard link out, by an extended header': tar(
    file,
    pax({ linkpath: '../outside' }),
    hardlink('h', 'app/run.sh'),
  ),
})

const kinds = rows('PACKAGE_KIND_UNSAFE', {
  'tar: a character device': tar(file, { name: 'null', type: '3' }),
  'tar: a block device': tar(file, { name: 'sda', type: '4' }),
  'tar: a pipe': tar(file, { name: 'pipe', type: '6' }),
  'tar: a contiguous file': tar(file, { name: 'c', type: '7', content: 'x' }),
  'tar: a sparse file of GNU': tar(file, { name: 's', type: 'S', content: 'x', magic: gnu }),
  'tar: a sparse file by an extended header': tar(
    file,
    pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': '../x' }),
    { name: 's', content: 'x' },
  ),
  'tar: a part of several volumes': tar(file, { name: 'm', type: 'M', content: 'x', magic: gnu }),
  'tar: the name of a volume': tar(file, { name: 'v', type: 'V', magic: gnu }),
  'tar: a folder with a listing of GNU': tar(file, { name: 'd', type: 'D', content: 'x', magic: gnu }),
  'tar: an unknown kind': tar(file, { name: 'z', type: 'Z' }),
  'zip: a device': zip([{ name: 'null', mode: 0o020666 }]),
  'zip: a pipe': zip([{ name: 'pipe', mode: 0o010644 }]),
  'zip: a socket': zip([{ name: 'sock', mode: 0o140644 }]),
})

const modes = rows('PACKAGE_MODE_UNSAFE', {
  'tar: setuid': tar(file, { name: 'su', content: 'x', mode: 0o4755 }),
  'tar: setgid': tar(file, { name: 'sg', content: 'x', mode: 0o2755 }),
  'tar: a sticky folder': tar(file, { name: 'd/', type: '5', mode: 0o1777 }),
  'zip: setuid': zip([{ name: 'su', content: 'x', mode: 0o104755 }]),
})

const twice = rows('PACKAGE_NAME_TWICE', {
  'tar: the same name twice': tar(file, file),
  'tar: the same name once with a dot before': tar(file, { ...file, name: './app/run.sh' }),
  'tar: the same folder twice': tar({ name: 'd/', type: '5' }, { name: 'd', type: '5' }),
  'tar: a link in the place of a file': tar(file, symlink('app/run.sh', 'x')),
  'tar: a link in the place of a folder': tar(file, symlink('app', 'x')),
  'tar: a file in the place of a folder': tar(file, { name: 'app', content: 'x' }),
  'tar: another case': tar({ name: 'Readme', content: 'x' }, { name: 'README', content: 'x' }),
  'tar: a folder in another case': tar({ name: 'A/x', content: 'x' }, { name: 'a/y', content: 'x' }),
  'tar: composed and decomposed': tar({ name: 'caf\u00e9', content: 'x' }, { name: 'cafe\u0301', content: 'x' }),
  'tar: a ligature and its letters': tar({ name: '\ufb01x', content: 'x' }, { name: 'fix', content: 'x' }),
  'tar: a sharp s and two': tar({ name: 'stra\u00dfe', content: 'x' }, { name: 'STRASSE', content: 'x' }),
  'zip: the same name twice': zip([
    { name: 'a', content: 'x' },
    { name: 'a', content: 'y' },
  ]),
  'zip: another case': zip([
    { name: 'a', content: 'x' },
    { name: 'A', content: 'y' },
  ]),
})

const tooLarge = rows('PACKAGE_TOO_LARGE', {
  'tar: more entries than may be': tar(...Array.from({ length: 201 }, (_, at) => ({ name: `f${at}` }))),
  'tar: a larger file than may be': tar({ name: 'f', content: Buffer.alloc(1_000_001) }),
  'tar: a size beyond all measure': tar(file, { name: 'f', size: Buffer.from('80000000001fffffffffffff', 'hex') }),
  'tar: more bytes than may be': tar(...Array.from({ length: 5 }, (_, at) => ({ name: `f${at}`, content: zeros }))),
  'tar.gz: a bomb in a file': gzipSync(tar({ name: 'f', content: zeros })),
  'tar.gz: a bomb behind the end': gzipSync(Buffer.concat([tar(file), Buffer.alloc(3_000_000)])),
  'tar.gz: a bomb of many small files': gzipSync(
    tar(...Array.from({ length: 199 }, (_, at) => ({ name: `f${at}`, content: Buffer.alloc(5_000) }))),
  ),
  'zip: more entries than may be': zip(Array.from({ length: 201 }, (_, at) => ({ name: `f${at}` }))),
  'zip: a bomb': zip([{ name: 'f', content: zeros }]),
  'zip: a bomb in parts': zip(
    Array.from({ length: 20 }, (_, at) => ({ name: `f${at}`, content: Buffer.alloc(90_000) })),
  ),
  'zip: a larger file than may be': zip([{ name: 'f', content: Buffer.alloc(1_000_001) }]),
})

const plain = tar(file, { name: 'data', content: long('x', 5_000) })
const flipped = (bytes: Uint8Array, at: number) => {
  const copy = Buffer.from(bytes)
  copy[at < 0 ? copy.length + at : at]! ^= 0xff
  return copy
}

const brokenTars = rows('PACKAGE_MALFORMED', {
  'tar: cut in a header': plain.subarray(0, 1_200),
  'tar: cut in the content': plain.subarray(0, 3_000),
  'tar: cut before its end': plain.subarray(0, -1_024),
  'tar: half an end': plain.subarray(0, -512),
  'tar: a wrong checksum': tar(file, { name: 'f', content: 'x', checksumOff: 1 }),
  'tar: a negative size': tar(file, { name: 'f', size: Buffer.from('ffffffffffffffffffffff00', 'hex') }),
  'tar: a size beyond counting': tar(file, { name: 'f', size: Buffer.from('80ffffffffffffffffffffff', 'hex') }),
  'tar: a size that is no number': tar(file, { name: 'f', size: '0000000009x\0' }),
  'tar: a size with a sign': tar(file, { name: 'f', size: '-0000000001\0' }),
  'tar: a size by an extended header that is not there': tar(file, pax({ size: '5000' }), { name: 'f', content: 'x' }),
  'tar: a negative size by an extended header': tar(file, pax({ size: '-1' }), { name: 'f', content: 'x' }),
  'tar: an extended header of a wrong length': tar(file, { name: 'x', type: 'x', content: '99 path=a\n' }, file),
  'tar: an extended header without records': tar(file, { name: 'x', type: 'x', content: 'nothing of the kind' }, file),
  'tar: an extended header with two paths': tar(
    file,
    { name: 'x', type: 'x', content: paxRecord('path', 'a') + paxRecord('path', '../b') },
    { name: 'c', content: 'x' },
  ),
  'tar: two long names': tar(gnuLong('L', 'a'), gnuLong('L', '../b'), { ...file, magic: gnu }),
  'tar: a long name and an extended one': tar(gnuLong('L', 'a'), pax({ path: '../b' }), file),
  'tar: a long name of nothing': Buffer.concat([tarEntry(file), tarEntry(gnuLong('L', 'a')), tarEnd]),
  'tar: a global header that names': tar(pax({ path: '../x' }, 'g'), file),
  'tar: a huge extended header': tar({ name: 'x', type: 'x', content: Buffer.alloc(70_000, 'x') }, file),
  'tar: a link with content': tar(file, { ...symlink('l', 'app'), content: 'x' }),
  'tar: a folder with content': tar(file, { name: 'd/', type: '5', content: 'x' }),
  'tar: a hard link with content': tar(file, { ...hardlink('h', 'app/run.sh'), content: 'x' }),
  'tar: something behind its end': Buffer.concat([plain, Buffer.from('more')]),
  'tar: another tar behind its end': Buffer.concat([tar(file), tar({ name: '../x', content: 'x' })]),
  'tar: a header of an unknown format': tar(file, { name: 'f', content: 'x', magic: 'ustar\x0099' }),
  'tar.gz: cut': gzipSync(plain).subarray(0, -20),
  'tar.gz: a wrong checksum': flipped(gzipSync(plain), -6),
  'tar.gz: damaged in the middle': flipped(gzipSync(plain), 60),
  'tar.gz: something behind its end': Buffer.concat([gzipSync(plain), Buffer.from('more')]),
  'tar.gz: something behind its end, after zeros': Buffer.concat([gzipSync(plain), Buffer.from('\0\0more')]),
  'tar.gz: two of them': Buffer.concat([gzipSync(tar(file)), gzipSync(tar({ name: 'x', content: 'x' }))]),
  'tar.gz: of no tar': gzipSync(Buffer.from(long('x', 2_000))),
  'tar.gz: of a tar.gz': gzipSync(gzipSync(plain)),
})

const one: ZipEntry = { name: 'a.txt', content: long('a', 1_000) }
const two: ZipEntry = { name: 'b.txt', content: long('b', 1_000) }
const stored: ZipEntry = { ...one, method: 0 }
const unicodeName = (name: string) => extraField(0x7075, Buffer.concat([Buffer.alloc(5), Buffer.from(name)]))

const brokenZips = rows('PACKAGE_MALFORMED', {
  'zip: cut': zip([one, two]).subarray(0, -30),
  'zip: a wrong checksum': zip([{ ...one, central: { crc: 1 }, local: { crc: 1 } }]),
  'zip: two checksums': zip([{ ...one, local: { crc: 1 } }]),
  'zip: two names': zip([{ ...one, local: { name: 'b.txt' } }]),
  'zip: two names, the second in a field': zip([{ ...one, extra: unicodeName('../x') }]),
  'zip: two methods': zip([{ ...one, local: { method: 0 } }]),
  'zip: two sets of flags': zip([{ ...one, local: { flags: 0 } }]),
  'zip: two packed sizes': zip([{ ...one, local: { packedBytes: 3 } }]),
  'zip: two sizes': zip([{ ...one, local: { wholeBytes: 3 } }]),
  'zip: a smaller size than comes out': zip([{ ...one, central: { wholeBytes: 9 }, local: { wholeBytes: 9 } }]),
  'zip: a larger size than comes out': zip([{ ...one, central: { wholeBytes: 9_999 }, local: { wholeBytes: 9_999 } }]),
  'zip: a stored entry of two sizes': zip([{ ...stored, central: { wholeBytes: 9 }, local: { wholeBytes: 9 } }]),
  'zip: two entries on the same bytes': zip([one, { ...one, central: { name: 'c.txt', offset: 0 } }]),
  'zip: an entry within another': zip([
    { ...stored, content: zip([two]) },
    { ...two, central: { offset: 35 } },
  ]),
  'zip: an entry that is listed twice': zip([one, { ...one, isListedOnly: true, central: { offset: 0 } }]),
  'zip: an entry of which another is made': zip([
    { ...stored, content: zip([two]) },
    { ...two, isListedOnly: true, central: { offset: 35 } },
  ]),
  'zip: an entry in the directory that is not counted': zip(
    [one, { ...two, isListedOnly: true, central: { offset: 0 } }],
    { count: 1 },
  ),
  'zip: an entry that runs into the directory': zip([
    { ...stored, central: { packedBytes: 1_050, wholeBytes: 1_050 }, local: { packedBytes: 1_050, wholeBytes: 1_050 } },
  ]),
  'zip: an entry beyond the file': zip([{ ...one, central: { offset: 900_000 } }]),
  'zip: something hidden between entries': zip([{ ...one, after: zip([{ name: '../x' }]) }, two]),
  'zip: something hidden before the directory': zip([one, { ...two, after: Buffer.alloc(40) }]),
  'zip: something before it': zip([one], { before: Buffer.from('PK\x03\x04#!/bin/sh\nexit\n') }),
  'zip: something behind it': zip([one], { after: Buffer.from('more') }),
  'zip: fewer entries than are listed': zip([one, two], { count: 1 }),
  'zip: more entries than are listed': zip([one, two], { count: 3 }),
  'zip: encrypted': zip([{ ...one, flags: 0x801 }]),
  'zip: packed by an unknown method': zip([{ ...one, method: 99, packed: Buffer.alloc(9) }]),
  'zip: a folder with content': zip([{ name: 'd/', content: 'x' }]),
  'zip: a folder that says it is a file': zip([{ name: 'd/', mode: 0o100644 }]),
  'zip: a file that says it is a folder': zip([{ name: 'd', mode: 0o040755 }]),
  'zip: a link with a target that is no path': zip([
    { name: 'l', content: long('x', 5_000), mode: 0o120777, method: 0 },
  ]),
  'zip: large sizes that are not there': zip([
    { ...one, central: { packedBytes: 0xffffffff, wholeBytes: 0xffffffff }, local: { packedBytes: 0xffffffff } },
  ]),
  'zip: large sizes that lie': zip([
    {
      ...one,
      central: { packedBytes: 0xffffffff, wholeBytes: 0xffffffff, extra: largeSizes(900_000n, 800_000n) },
    },
  ]),
  'zip: large sizes of which there are two': zip([
    {
      ...one,
      local: { packedBytes: 0xffffffff, wholeBytes: 0xffffffff, extra: largeSizes(7n, 7n) },
    },
  ]),
  'zip: damaged in the middle': flipped(zip([{ ...one, content: Buffer.from(long('abcdefghij', 100)) }]), 40),
})

const unknown = rows('PACKAGE_FORMAT_UNKNOWN', {
  nothing: new Uint8Array(),
  'a script': Buffer.from('#!/bin/sh\nrm -rf /\n'),
  'a tar of before POSIX': tar({ name: 'f', content: 'x', magic: '' }),
  'blank blocks alone': tarEnd,
})

/** Archives of which not one may be unpacked, each with the reason that has to be given. */
export const hostileArchives: readonly HostileArchive[] = [
  ...[badNames, otherNames, links, hardLinksOut, kinds, modes, twice, tooLarge, brokenTars, brokenZips, unknown],
]
  .flat()
  .map(([what, bytes, code]) => ({ what, bytes, code }))
