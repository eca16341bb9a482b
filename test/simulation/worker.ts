import { parentPort } from 'node:worker_threads'
import { simulate } from './day.ts'
import { defectNamed } from './defects.ts'
import type { Play } from './pool.ts'

parentPort!.on('message', ({ defect, ...day }: Play) => {
  void simulate({ ...day, defect: defect === undefined ? undefined : defectNamed(defect) }).then((outcome) =>
    parentPort!.postMessage(outcome),
  )
})
