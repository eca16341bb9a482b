import { join } from 'node:path'
import { contractFiles } from '#contracts/describe/files.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { complaint, differences, write } from './generatedFiles.ts'
import { newestGolden } from './goldenEvents.ts'

// Writes contracts/generated anew; with --check only says in what it differs from the contracts.
const folder = join(import.meta.dirname, '../../contracts/generated')
const files = contractFiles(packageJson.version, newestGolden)

if (process.argv.includes('--check')) {
  const wrong = complaint('contracts/generated', differences(folder, files))
  if (wrong !== null) {
    process.stderr.write(`${wrong}\n`)
    process.exitCode = 1
  }
} else write(folder, files)
