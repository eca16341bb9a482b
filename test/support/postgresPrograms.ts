import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const installMs = 300_000
const needed = ['initdb', 'postgres', 'pg_basebackup', 'pg_dump', 'pg_restore']

/**
 * The folder with PostgreSQL's programs: in the path, or where Debian puts them; else they are installed from the
 * distribution's packages where we may. Null, with a word about it, where there is no way to have them.
 */
export const postgresPrograms: string | null = find() ?? (await install())

// For those who start `pg_dump` by its name, as operators' machines have it.
if (postgresPrograms !== null) process.env['PATH'] += `${delimiter}${postgresPrograms}`

function find(): string | null {
  const debian = globSync('/usr/lib/postgresql/*/bin').sort((a, b) => versionOf(b) - versionOf(a))
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...debian]
  return folders.find((folder) => needed.every((name) => existsSync(join(folder, name)))) ?? null
}

function versionOf(folder: string): number {
  return Number(folder.split('/').at(-2))
}

async function install(): Promise<string | null> {
  try {
    if (process.getuid?.() !== 0) throw new Error('only root may install it')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    // Several test files may find out at the same time that it is missing; they wait for one another.
    const apt = (...parameters: string[]) =>
      execute('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=240', ...parameters], { env, timeout: installMs })
    await apt('update')
    await apt('install', '-y', '--no-install-recommends', 'postgresql')
    return find()
  } catch (error) {
    console.warn(`Without PostgreSQL its tests are skipped: ${(error as Error).message}`)
    return null
  }
}
