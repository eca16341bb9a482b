import { eventSchemas } from '#contracts/describe/files.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { goldenEvents } from './goldenEvents.ts'
import { brokenPromises, lastRelease, promisesOf, remedy, writeRelease } from './released.ts'

// Part of making a release: from now on the shapes of today are promised. Refuses when they break an older promise.
const broken = brokenPromises(lastRelease(), eventSchemas(), goldenEvents)
if (broken.length > 0) {
  process.stderr.write(`error released events would not be read any more:\n  ${broken.join('\n  ')}\nnext: ${remedy}\n`)
  process.exitCode = 1
} else writeRelease(promisesOf(packageJson.version, eventSchemas(), goldenEvents))
