// Ends with 0 when the server in this container answers that it is well, for those who look after containers.
const port = process.env.REMUDA_PORT ?? '4780'
const path = process.argv[2] ?? '/healthz'
const withinMs = 4_000
const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(withinMs) }).catch(
  () => null,
)
process.exit(answer?.ok === true ? 0 : 1)
