import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'

// Builds the console when it has not been built, or when a source is newer than what was built. A server that was
// installed without the tools brings the built console with it and has nothing to do here.
const folder = import.meta.dirname
const changedAtMs = (file: string) => statSync(join(folder, file), { throwIfNoEntry: false })?.mtimeMs ?? 0
const sources = globSync(['index.html', 'vite.config.ts', '{app,public}/**/*.*'], { cwd: folder })
const newestMs = Math.max(...sources.map(changedAtMs))
const builtMs = changedAtMs('dist/index.html')
const always = process.argv.includes('--always')

if (always || builtMs < newestMs) {
  const vite = await import('vite').catch((error: unknown) => {
    if (builtMs > 0) return null
    throw error
  })
  await vite?.build({ configFile: join(folder, 'vite.config.ts'), logLevel: 'warn' })
}
