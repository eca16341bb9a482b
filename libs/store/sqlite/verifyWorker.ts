import { parentPort, workerData } from 'node:worker_threads'
import type { Verification } from '../store.ts'
import { connect } from './connection.ts'
import { checkSchema } from './schema.ts'
import { verifyDatabase } from './verify.ts'

// Runs in a thread of its own: SQLite's own check of a large file takes seconds and can not be interrupted.
const { path } = workerData as { path: string }
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
parentPort?.postMessage(check(path))

function check(file: string): Verification {
  try {
    using db = connect(file, { readOnly: true })
    checkSchema(db)
    return verifyDatabase(db)
  } catch (error) {
    return { events: 0, streams: 0, problems: [(error as Error).message] }
  }
}
