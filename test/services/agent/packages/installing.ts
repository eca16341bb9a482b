import type { PackageOrder } from '#contracts/agent.ts'
import { systemClock } from '#libs/systemClock.ts'
import { openPackages } from '#services/agent/packages/packages.ts'
import { makeKey, seedBytes } from '#libs/machineKey.ts'

// A process of its own that installs a package, for being killed in the middle.
const [server = '', data = '', order = ''] = process.argv.slice(2)
const key = makeKey(new Uint8Array(seedBytes).fill(1))
const packages = await openPackages({ clock: systemClock, data, server, keepReleases: 3 })
using ready = await packages.prepare(JSON.parse(order) as PackageOrder, {
  key,
  signal: new AbortController().signal,
  say: () => {},
})
await ready.activate()
