import { Server, ServerCredentials } from '@grpc/grpc-js'
import features from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_pb.js'
import featureStubs from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_grpc_pb.js'
import streamStubs from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_grpc_pb.js'
import { answerAppends, type AppendCall } from './kurrent/append.ts'
import { ServerFaults } from './kurrent/faults.ts'
import { KurrentLog } from './kurrent/log.ts'
import { answerRead, type ReadCall } from './kurrent/read.ts'

const host = '127.0.0.1'
const messageBytesMax = 17 * 1_048_576
const version = '25.1.0'

/**
 * A server that speaks the protocol of KurrentDB over gRPC, made of the client's own stubs, with its log in memory: so
 * that the store is tested over the real wire, and with faults that a real server does not have on demand.
 */
export class KurrentServer implements AsyncDisposable {
  readonly log: KurrentLog
  readonly faults = new ServerFaults()
  /** The methods that were called, in order. */
  readonly calls: string[] = []
  #server: Server | null = null
  #port: number

  private constructor(log: KurrentLog, port: number) {
    this.log = log
    this.#port = port
  }

  /**
   * @param log shared by the nodes of a cluster
   * @param port 0 for any that is free
   */
  static async start(log = new KurrentLog(), port = 0): Promise<KurrentServer> {
    const server = new KurrentServer(log, port)
    await server.start()
    return server
  }

  get port(): number {
    return this.#port
  }

  /** @param prefix that of the streams of one store, as several share the server */
  url(prefix: string, options = ''): string {
    return `kurrentdb://${host}:${this.#port}?tls=false&discoveryInterval=5&prefix=${prefix}${options}`
  }

  /** Listens, at the same port as before. */
  async start(): Promise<void> {
    const server = new Server({ 'grpc.max_receive_message_length': messageBytesMax })
    server.addService(featureStubs.ServerFeaturesService, { getSupportedMethods: answerFeatures })
    const unused = () => {}
    server.addService(streamStubs.StreamsService, {
      read: (call: ReadCall) => {
        this.calls.push(call.request.getOptions()?.hasSubscription() ? 'subscribe' : 'read')
        answerRead(this.log, this.faults, call)
      },
      batchAppend: (call: AppendCall) => answerAppends(this.log, this.faults, call),
      append: unused,
      delete: unused,
      tombstone: unused,
    })
    this.#port = await new Promise((resolve, reject) =>
      server.bindAsync(`${host}:${this.#port}`, ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    )
    this.#server = server
  }

  /** Breaks every connection and listens no more, until it is started again. */
  stop(): void {
    this.#server?.forceShutdown()
    this.#server = null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
  }
}

/** What the client asks first: only when it finds `BatchAppend` here does it use it. */
function answerFeatures(
  _: unknown,
  answer: (error: null, supported: InstanceType<typeof features.SupportedMethods>) => void,
) {
  const method = new features.SupportedMethod()
    .setServiceName('event_store.client.streams.Streams')
    .setMethodName('BatchAppend')
  answer(null, new features.SupportedMethods().setMethodsList([method]).setEventStoreServerVersion(version))
}
