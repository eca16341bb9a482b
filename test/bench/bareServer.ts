import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { DatabaseSync } from 'node:sqlite'
import { WebSocketServer, type WebSocket } from 'ws'
import type { AgentFrame, EnrollRequest, ServerFrame } from '#contracts/agent.ts'
import { machineIdOf } from '#libs/machineKey.ts'
import { counted } from './standing.ts'

// The least that a server can do which hands out tasks: it believes everyone, decides nothing, keeps nothing in mind, and
// makes durable what comes back before it says so, all that has come in one turn of the event loop together.

const [folder] = process.argv.slice(2)
const db = new DatabaseSync(`${folder}/bare.db`)
db.exec(
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE facts (position INTEGER PRIMARY KEY, data TEXT)',
)
const insert = db.prepare('INSERT INTO facts (data) VALUES (?)')
const sockets = new Set<WebSocket>()
let gathered: { data: string; onStored: () => void }[] = []
let deployments = 0
let open = 0

const send = (socket: WebSocket, frame: ServerFrame) => socket.send(JSON.stringify(frame))

function store(data: string, onStored: () => void): void {
  if (gathered.length === 0) setImmediate(commit)
  gathered.push({ data, onStored })
}

function commit(): void {
  const facts = gathered
  gathered = []
  db.exec('BEGIN')
  for (const { data } of facts) insert.run(data)
  db.exec('COMMIT')
  for (const { onStored } of facts) onStored()
}

function deploy(): void {
  deployments += 1
  open = sockets.size
  for (const [number, socket] of [...sockets].entries()) {
    const task = { taskId: `${deployments}-${number}`, deploymentId: 'd', stepId: 'install', attempt: 1, epoch: 1 }
    const script = { interpreter: 'bash', script: 'true', environment: {}, timeLimitMs: 600_000, logCharsMax: 2 ** 22 }
    // What is handed out is a fact as well.
    store(JSON.stringify(task), () => send(socket, { type: 'run', order: { ...task, ...script } }))
  }
}

function take(socket: WebSocket, data: Buffer): void {
  const words = data.toString('utf8')
  const frame = JSON.parse(words) as AgentFrame
  if (frame.type === 'hello') return welcome(socket, frame.machineId)
  if (frame.type === 'task-started') return store(words, () => {})
  if (frame.type === 'task-log')
    return store(words, () => send(socket, { type: 'log-stored', taskId: frame.taskId, chunk: frame.chunk }))
  if (frame.type !== 'task-result') return
  store(words, () => {
    send(socket, { type: 'result-stored', taskId: frame.taskId })
    open -= 1
    if (open === 0) process.send?.('deployed')
  })
}

function welcome(socket: WebSocket, machineId: string): void {
  sockets.add(socket)
  counted.machines = sockets.size
  send(socket, { type: 'welcome', machineId, heartbeatEveryMs: 10_000, taskLeaseEveryMs: 30_000, returnedFrom: null })
}

const http = createServer(async (request, response) => {
  const { publicKey, name } = JSON.parse(await text(request)) as EnrollRequest
  const machine = { machineId: machineIdOf(publicKey), environmentId: 'bench', name, position: 1 }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(machine))
})
new WebSocketServer({ server: http, perMessageDeflate: false }).on('connection', (socket) => {
  socket.on('message', (data: Buffer) => take(socket, data))
  socket.on('close', () => sockets.delete(socket))
  send(socket, { type: 'challenge', nonce: 'n'.repeat(43), protocol: 1, epoch: 1 })
})
process.on('message', (word) => void (word === 'deploy' && deploy()))
process.on('disconnect', () => process.exit(0))
http.listen(0, '127.0.0.1', () => process.send?.({ port: (http.address() as AddressInfo).port }))
