import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { gnuLong, pax, tar } from './tarBytes.ts'
import { extraField, largeSizes, zip } from './zipBytes.ts'

export interface GoodArchive {
  readonly what: string
  readonly bytes: () => Uint8Array
  /** What is there when it is unpacked. */
  readonly holds: Readonly<Record<string, string>>
}

const longPart = 'n'.repeat(120)
const longPath = `${longPart}/${longPart}/${longPart}`
const longHolds = { [longPart]: 'folder', [`${longPart}/${longPart}`]: 'folder', [longPath]: '644 far down' }
const file = { name: 'app/run.sh', content: '#!/bin/sh\n', mode: 0o755 }
const fileHolds = { app: 'folder', 'app/run.sh': '755 #!/bin/sh\n' }

/** A tree as people have it, and what is made of it. */
const treeHolds = {
  'read me.txt': '644 hello',
  'größe-尺寸-😀.txt': '644 unicode',
  empty: 'folder',
  ...fileHolds,
  'app/latest': '-> ../read me.txt',
  'app/same.sh': '755 #!/bin/sh\n',
  ...longHolds,
}

/** What a program of this system makes of the tree. */
function systemArchive(program: string, options: (archive: string) => readonly string[]): Uint8Array {
  const root = mkdtempSync(join(tmpdir(), 'remuda-good-'))
  const tree = join(root, 'tree')
  try {
    for (const [path, held] of Object.entries(treeHolds)) {
      const at = join(tree, path)
      mkdirSync(dirname(at), { recursive: true })
      if (held === 'folder') mkdirSync(at, { recursive: true })
      else if (held.startsWith('-> ')) symlinkSync(held.slice(3), at)
      else if (path === 'app/same.sh') linkSync(join(tree, 'app/run.sh'), at)
      else {
        writeFileSync(at, held.slice(4))
        chmodSync(at, Number.parseInt(held.slice(0, 3), 8))
      }
    }
    const archive = join(root, 'archive')
    execFileSync(program, options(archive), { cwd: tree })
    return readFileSync(existsSync(archive) ? archive : `${archive}.zip`)
  } finally {
    rmSync(root, { recursive: true })
  }
}
const systemTar = (format: string) => systemArchive('tar', (archive) => [format, '-cf', archive, '.'])

/** By whoever is installed here; what is not is left out aloud. */
const hasZip = spawnSync('zip', ['-v']).status === 0
export const leftOut: readonly string[] = hasZip ? [] : ['zip, by the zip of the system: it is not installed']
const systemZip = () => systemArchive('zip', (archive) => ['-qry', archive, '.'])

/** Sizes and checksum behind the data, as who writes a zip without looking back has them. */
function descriptor(crc: number, packed: number, whole: number): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32LE(0x08074b50, 0)
  bytes.writeUInt32LE(crc, 4)
  bytes.writeUInt32LE(packed, 8)
  bytes.writeUInt32LE(whole, 12)
  return bytes
}

const unknownYet = { crc: 0, packedBytes: 0, wholeBytes: 0 }
const abcCrc = 0x352441c2

export const goodArchives: readonly GoodArchive[] = [
  { what: 'tar, by the GNU tar of the system', bytes: () => systemTar('--format=gnu'), holds: treeHolds },
  { what: 'tar, POSIX, by the tar of the system', bytes: () => systemTar('--format=posix'), holds: treeHolds },
  { what: 'tar.gz, by the tar of the system', bytes: () => systemTar('-z'), holds: treeHolds },
  { what: 'tar, with a POSIX prefix', bytes: () => tar({ ...file, name: 'run.sh', prefix: 'app' }), holds: fileHolds },
  {
    what: 'tar, with a long name of GNU',
    bytes: () => tar(gnuLong('L', longPath), { name: 'n', content: 'far down', magic: 'ustar  \0' }),
    holds: longHolds,
  },
  {
    what: 'tar, with an extended header that says more than we need',
    bytes: () =>
      tar(
        pax({ comment: 'a commit' }, 'g'),
        pax({ path: longPath, mtime: '1.5', uname: 'root', 'SCHILY.xattr.user.a': 'b' }),
        { name: 'n', content: 'far down' },
      ),
    holds: longHolds,
  },
  {
    what: 'tar, with a size by an extended header',
    bytes: () => tar(pax({ size: '3' }), { name: 'f', content: 'abc', size: 0 }),
    holds: { f: '644 abc' },
  },
  { what: 'tar, with no entries but the root', bytes: () => tar({ name: './', type: '5', mode: 0o755 }), holds: {} },
  {
    what: 'tar, with a folder that comes after what lies in it, and a link to nothing yet',
    bytes: () => tar(file, { name: 'app/', type: '5' }, { name: 'app/log', type: '2', link: '../var/log' }),
    holds: { ...fileHolds, 'app/log': '-> ../var/log' },
  },
  {
    what: 'tar, with a mode that everyone may write',
    bytes: () => tar({ name: 'open', content: 'x', mode: 0o666 }, { name: 'shut', content: 'x', mode: 0o100 }),
    holds: { open: '644 x', shut: '755 x' },
  },
  ...(hasZip ? [{ what: 'zip, by the zip of the system', bytes: systemZip, holds: treeHolds }] : []),
  { what: 'tar.gz, in two members', bytes: () => gzipInTwo(tar(file)), holds: fileHolds },
  {
    what: 'zip, with folders, an empty one, modes, unicode and a link',
    bytes: () =>
      zip([
        { name: 'app/', mode: 0o040755 },
        { name: 'empty/', mode: 0o040755 },
        { ...file, mode: 0o100755 },
        { name: 'größe-尺寸-😀.txt', content: 'unicode' },
        { name: 'app/latest', content: '../größe-尺寸-😀.txt', mode: 0o120777, method: 0 },
      ]),
    holds: {
      ...fileHolds,
      empty: 'folder',
      'größe-尺寸-😀.txt': '644 unicode',
      'app/latest': '-> ../größe-尺寸-😀.txt',
    },
  },
  { what: 'zip, with nothing in it', bytes: () => zip([]), holds: {} },
  { what: 'zip, with a long path', bytes: () => zip([{ name: longPath, content: 'far down' }]), holds: longHolds },
  {
    what: 'zip, written without looking back',
    bytes: () =>
      zip([
        { name: 'a', content: 'abc', flags: 0x808, method: 0, local: unknownYet, after: descriptor(abcCrc, 3, 3) },
        { name: 'b', content: 'abc', method: 0 },
      ]),
    holds: { a: '644 abc', b: '644 abc' },
  },
  {
    what: 'zip, with large sizes and other fields',
    bytes: () =>
      zip([
        {
          name: 'a',
          content: 'abc',
          method: 0,
          local: { packedBytes: 0xffffffff, wholeBytes: 0xffffffff, extra: largeSizes(3n, 3n) },
          central: { extra: extraField(0x5455, Buffer.alloc(5)) },
        },
      ]),
    holds: { a: '644 abc' },
  },
]

function gzipInTwo(bytes: Buffer): Buffer {
  const half = Math.floor(bytes.length / 2)
  return Buffer.concat([gzipSync(bytes.subarray(0, half)), gzipSync(bytes.subarray(half))])
}
