import { openSqliteStore } from '#libs/store/sqlite.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { mustAppend, noted } from '#test/support/store.ts'

// A process that opens the store it is told and appends as fast as it can, until it is killed. It says what was
// acknowledged, on standard output, which the kernel keeps for whoever reads it.
const [path = '', callers = '8'] = process.argv.slice(2)
const store = await openSqliteStore({ path, clock })
process.stdout.write('open\n')

async function appendForEver(stream: string): Promise<void> {
  for (let { version } = await store.read(stream); ; version += 2) {
    await mustAppend(store, stream, version, noted('x'.repeat(version % 700)), noted(version))
    process.stdout.write(`${stream} ${version + 2}\n`)
  }
}

await Promise.all(Array.from({ length: Number(callers) }, (_, caller) => appendForEver(`machine-${caller}`)))
