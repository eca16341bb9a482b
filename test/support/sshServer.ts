import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

const keygen = 'ssh-keygen'
const startWithinMs = 20_000
const stopWithinMs = 10_000

// Whoever ends this process in the middle of a test must not leave servers behind.
const running = new Set<ChildProcess>()
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')))

/** The real server of OpenSSH as the present user, in the foreground, on a port that was free, with keys of its own. */
export class SshServer implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'remuda-ssh-'))
  readonly user = userInfo().username
  readonly port: number
  readonly #program: string
  #child: ChildProcess | null = null
  #output = ''

  private constructor(program: string, port: number) {
    this.#program = program
    this.port = port
  }

  /** @param program where it stands; the server starts itself anew for each connection, and so needs the whole path */
  static async start(program: string): Promise<SshServer> {
    const server = new SshServer(program, await freePort())
    await server.#start()
    return server
  }

  /** A private key; the one named `user` is let in. */
  key(name = 'user'): string {
    return readFileSync(this.#keyFile(name), 'utf8')
  }

  /** As `ssh-keygen -lf` prints it. */
  fingerprint(name = 'host'): string {
    const line = execFileSync(keygen, ['-lf', this.#keyFile(name)], { encoding: 'utf8' })
    return /SHA256:\S+/.exec(line)![0]
  }

  async #start(): Promise<void> {
    for (const name of ['host', 'user', 'stranger'])
      execFileSync(keygen, ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', this.#keyFile(name)])
    writeFileSync(join(this.folder, 'authorized_keys'), readFileSync(`${this.#keyFile('user')}.pub`))
    // Run by root, it keeps its children in this folder while they are not trusted.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    chmodSync(this.folder, 0o700)
    const file = join(this.folder, 'sshd_config')
    writeFileSync(file, this.#config())
    const child = spawn(this.#program, ['-D', '-e', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child = child
    running.add(child)
    await this.#untilReady(child)
  }

  #config(): string {
    return [
      ...['ListenAddress 127.0.0.1', `Port ${this.port}`, `HostKey ${this.#keyFile('host')}`, 'PidFile none'],
      ...[`AuthorizedKeysFile ${join(this.folder, 'authorized_keys')}`, 'StrictModes no', 'UsePAM no'],
      ...['PasswordAuthentication no', 'PermitRootLogin prohibit-password', 'LogLevel INFO', ''],
    ].join('\n')
  }

  #untilReady(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (what: string) => reject(new Error(`sshd ${what}:\n${this.#output}`))
      const deadline = setTimeout(() => fail('is not ready'), startWithinMs)
      child.once('exit', () => fail('ended'))
      child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
        if (!this.#output.includes('Server listening')) return
        clearTimeout(deadline)
        resolve()
      })
    })
  }

  #keyFile(name: string): string {
    return join(this.folder, `${name}_key`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      running.delete(child)
      child.kill('SIGTERM')
      await once(child, 'exit', { signal: AbortSignal.timeout(stopWithinMs) })
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
