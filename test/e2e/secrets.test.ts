import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DeploymentRow, MachineRow, TaskRow } from '#contracts/rows.ts'
import { Remuda, until } from '#test/support/remuda.ts'

const limitMs = 60_000
const password = `c4n"ry $p@ss'w0rd/&%ü`
const key = '-----BEGIN CANARY-----\nMIIcanaryLineOne+/aa\nMIIcanaryLineTwo==\n-----END CANARY-----\n'
const url = 'postgres://app:#{PASSWORD}@db/shop'

/** Every way in which a script may well print what it was given, on both streams and in pieces. */
const telling = String.raw`
set -x
: "$PASSWORD" "$DB_URL"
set +x
echo "plain: $PASSWORD"; echo "$DB_URL" >&2; env | grep -v '^_='
node -e 'console.log(JSON.stringify(process.env), encodeURIComponent(process.env.PASSWORD))'
for before in "" x xx; do printf '%s%s' "$before" "$PASSWORD" | base64; printf '%s%s' "$before" "$PASSWORD" | base64 -w0; done
{ head -c 51 /dev/zero | tr '\0' z; printf '%s' "$PASSWORD"; head -c 90 /dev/zero; } | base64
printf %s "$PASSWORD" | od -An -v -tx1 | tr -d ' \n'; echo
printf '%q\n' "$PASSWORD"; LC_ALL=C printf '%q\n' "$PASSWORD"; LC_ALL=C bash -xc ': "$PASSWORD"'; declare -p PASSWORD
for at in $(seq 0 3 30); do printf '%s' "${'$'}{PASSWORD:$at:3}"; sleep 0.02; done; echo
cat "$KEY"; base64 "$KEY"; stat -c 'key file %a' "$KEY"
`

const lines = [password, ...key.trim().split('\n').slice(1, 3)]
const needles = [...new Set(lines.flatMap(spellings))]

function spellings(text: string): readonly string[] {
  const bytes = Buffer.from(text)
  const cores = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6)),
  )
  const urls = cores.map((core) => core.replaceAll('+', '-').replaceAll('/', '_'))
  const quoted = text.replaceAll("'", `'\\''`)
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    bytes.toString('hex'),
    quoted,
    ...cores,
    ...urls,
  ]
}

/** Where any spelling is found, also across line breaks and with backslashes in it. */
function leaksIn(where: string, text: string): readonly string[] {
  const flat = text.replaceAll(/\\n|[\r\n]/g, '')
  return needles
    .filter((needle) => text.includes(needle) || flat.includes(needle))
    .map((needle) => `${where}: ${needle}`)
}

function leaksInFiles(folder: string): readonly string[] {
  return globSync('**/*', { cwd: folder })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .flatMap((path) => leaksIn(path, readFileSync(path, 'utf8')))
}

async function deploy(remuda: Remuda, version: string) {
  const wanted = { projectId: 'shop', version, environmentId: 'production' }
  const { id } = await remuda.ask<{ id: string }>('POST', 'deployments', wanted)
  const row = await until('the deployment has ended', limitMs, async () => {
    const { status, body } = await remuda.call<DeploymentRow>('GET', `deployments/${id}`)
    return status === 200 && body.endedAt !== null && body
  })
  const { items } = await remuda.ask<{ items: TaskRow[] }>('GET', `deployments/${id}/tasks`)
  return { row, tasks: items }
}

async function everythingAsked(
  remuda: Remuda,
  deployments: readonly string[],
): Promise<readonly (readonly [string, string])[]> {
  const addresses = [
    ...['projects', 'projects/shop', 'projects/shop/variables', 'projects/shop/releases', 'deployments', 'machines'],
    ...['overview', 'parked', 'parked/requests', 'events?limit=200'],
    ...deployments.flatMap((id) => [
      `deployments/${id}`,
      `deployments/${id}/tasks`,
      `deployments/${id}/log`,
      `deployments/${id}/plan`,
    ]),
  ]
  const token = readFileSync(join(remuda.data, 'admin-token'), 'utf8').trim()
  const replies = addresses.map(async (address): Promise<readonly [string, string]> => {
    const reply = await fetch(`${remuda.url}/v1/${address}`, { headers: { authorization: `Bearer ${token}` } })
    return [address, await reply.text()]
  })
  return Promise.all(replies)
}

describe('sensitive values', () => {
  it('reach the script, and are found nowhere else', { timeout: 180_000 }, async () => {
    await using remuda = await Remuda.start(['--log-level', 'trace'])
    await remuda.ask('POST', 'environments', { id: 'production', policy: { automaticDeployments: { enabled: false } } })
    const token = await remuda.joinToken('production', ['web'])
    const flags = ['--token', token, '--role', 'web', '--log-level', 'trace']
    const agent = remuda.startAgent('web-1', flags)
    await until('the machine is healthy', limitMs, async () => {
      const { items } = await remuda.ask<{ items: MachineRow[] }>('GET', 'machines?status=healthy')
      return items.length === 1
    })
    await remuda.ask('POST', 'projects', { id: 'shop' })
    const steps = (script: string) =>
      remuda.ask('PUT', 'projects/shop/process', { steps: [{ id: 'install', kind: 'script', script }] })
    await steps(telling)
    const variables = [
      { name: 'PASSWORD', sensitive: true, value: password },
      { name: 'KEY', sensitive: true, value: key, as: 'file' },
      { name: 'DB_URL', value: url },
    ]
    const replies = [JSON.stringify(await remuda.call('PUT', 'projects/shop/variables', { variables }))]
    replies.push(
      JSON.stringify(
        await remuda.call('PUT', 'projects/shop/variables', {
          variables: [...variables, { name: 'A', value: '#{B}' }],
        }),
      ),
    )
    await remuda.ask('POST', 'projects/shop/releases', { version: '1.0' })
    const told = await deploy(remuda, '1.0')
    expect(told.row.state, JSON.stringify(told.tasks)).toBe('succeeded')

    await steps('echo "said=$PASSWORD" >> "$REMUDA_OUTPUT"')
    await remuda.ask('POST', 'projects/shop/releases', { version: '2.0' })
    const said = await deploy(remuda, '2.0')
    expect(said.tasks).toMatchObject([{ state: 'failed', reason: expect.stringMatching(/^bad-output: /) as string }])

    const file = 'cat "$KEY" > /dev/null; echo "$KEY" > "$HOME/where"; sleep 60'
    await steps(file)
    await remuda.ask('POST', 'projects/shop/releases', { version: '3.0' })
    const cut = deploy(remuda, '3.0')
    const where = join(remuda.folder, 'web-1', 'where')
    const path = await until(
      'the script has its file',
      limitMs,
      async () => globSync(where).length === 1 && readFileSync(where, 'utf8').trim(),
    )
    expect([statSync(path).mode & 0o777, readFileSync(path, 'utf8')]).toEqual([0o600, key])
    const first = agent.output
    await agent.end('SIGKILL')
    const next = remuda.startAgent('web-1', flags)
    const killed = await cut
    expect(killed.tasks).toMatchObject([{ reason: expect.stringMatching(/^interrupted/) as string }])
    expect(globSync(path)).toEqual([])

    await remuda.ask('POST', 'projects/shop/variables/PASSWORD/destroy')
    const destroyed = await deploy(remuda, '1.0')
    expect(destroyed.tasks).toMatchObject([
      { reason: expect.stringMatching(/^bad-variables: SECRET_DESTROYED: .*PASSWORD/) as string },
    ])
    expect(await remuda.ask('GET', 'projects/shop/variables')).toMatchObject({
      variables: [{ value: null, sensitive: true, destroyed: true }, { value: null, sensitive: true }, { value: url }],
    })

    const ids = [told, said, killed, destroyed].map(({ row }) => row.id)
    const asked = await everythingAsked(remuda, ids)
    const log = asked.find(([address]) => address === `deployments/${ids[0]}/log`)![1]
    expect(log).toContain('plain: ******')
    expect(log).toContain('key file 600')
    expect(asked.flatMap(([address, text]) => leaksIn(address, text))).toEqual([])
    expect(replies.flatMap((text) => leaksIn('reply', text))).toEqual([])
    for (const output of [remuda.server!.output, first, next.output]) expect(leaksIn('log', output)).toEqual([])
    expect(leaksInFiles(remuda.folder)).toEqual([])
  })
})
