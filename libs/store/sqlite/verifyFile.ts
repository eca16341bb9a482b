import { Worker } from 'node:worker_threads'
import { StoreFault, type Verification } from '../store.ts'

/** Verifies the database in a file, in another thread. The file may be in use. */
export function verifyFile(path: string): Promise<Verification> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./verifyWorker.ts', import.meta.url), { workerData: { path } })
    const failed = (reason: string) => reject(new StoreFault(`${path} could not be verified: ${reason}. Try again.`))
    worker.once('message', resolve)
    worker.once('error', (error) => failed(String(error)))
    worker.once('exit', (code) => failed(`the thread ended with ${code}`))
  })
}
