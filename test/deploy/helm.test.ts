import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { serviceNames } from '#contracts/command.ts'
import { unknownVariables } from '#libs/config.ts'
import { inboxPrefixOf } from '../../deploy/nats/permissions.ts'
import { ServerConfig } from '../../services/config.ts'
import { findTool } from './programs.ts'
import { repository, shipped } from './repository.ts'

const chart = 'deploy/helm/remuda'
const packageJson = JSON.parse(shipped('package.json')) as { version: string }
const values = parse(shipped(`${chart}/values.yaml`)) as Record<string, Record<string, unknown>>
const schema = JSON.parse(shipped(`${chart}/values.schema.json`)) as Parameters<typeof z.fromJSONSchema>[0]
const templates = readdirSync(join(repository, chart, 'templates'))
const opening = /^(if|range|with|define|block)\b/

/** Where the actions of a template do not come out even: what was opened and not ended, or ended and not opened. */
function unevenActions(text: string): readonly string[] {
  const open: string[] = []
  for (const [whole, inside = ''] of text.matchAll(/\{\{-?\s*(.*?)\s*-?\}\}/gs)) {
    if (opening.test(inside)) open.push(inside)
    else if (inside === 'end' && open.pop() === undefined) return [whole]
  }
  const left = text.replaceAll(/\{\{.*?\}\}/gs, '').match(/\{\{|\}\}(?!\})/g) ?? []
  return [...open, ...left]
}

describe('the Helm chart', () => {
  it('has the version of the server that it runs', () => {
    const { appVersion, apiVersion } = parse(shipped(`${chart}/Chart.yaml`)) as Record<string, string>
    expect({ appVersion, apiVersion }).toEqual({ appVersion: packageJson.version, apiVersion: 'v2' })
  })

  it('takes its own values, and refuses what it does not know', () => {
    const taken = z.fromJSONSchema(schema)
    expect(taken.safeParse(values).error?.issues).toBeUndefined()
    expect(taken.safeParse({ ...values, unheardOf: 1 }).success).toBe(false)
    expect(taken.safeParse({ ...values, bus: { ...values['bus'], url: 'nats://kim:pass@host' } }).success).toBe(false)
    expect(taken.safeParse({ ...values, services: { ...values['services'], query: { replicas: 0 } } }).success).toBe(
      false,
    )
  })

  it('runs every service, and sets only what there is to set', () => {
    expect(Object.keys(values['services']!)).toEqual([...serviceNames])
    const names = [...shipped(`${chart}/templates/deployment.yaml`).matchAll(/name: (REMUDA_\w+)/g)].map(
      ([, name]) => name!,
    )
    const set = Object.fromEntries([...names, ...Object.keys(values['settings']!)].map((name) => [name, '']))
    expect(unknownVariables([ServerConfig], set)).toEqual([])
  })

  it.each(templates)('ends in %s what it begins', (file) => {
    expect(unevenActions(shipped(`${chart}/templates/${file}`))).toEqual([])
  })
  it.each(['{{ if .a }}', '{{ end }}', '{{ range .a }}{{ end }}{{ .b }', '.a }} {{ with .b }}{{ end }}'])(
    'would see %s as uneven',
    (text) => expect(unevenActions(text)).not.toEqual([]),
  )
})

interface Rendered {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> }
  readonly spec: Record<string, unknown>
}
interface PodSpec {
  readonly automountServiceAccountToken: boolean
  readonly enableServiceLinks: boolean
  readonly securityContext: unknown
  readonly topologySpreadConstraints: readonly unknown[]
  readonly containers: readonly Record<string, unknown>[]
  readonly volumes: readonly {
    name: string
    secret?: { items?: readonly unknown[] }
    persistentVolumeClaim?: { claimName: string }
  }[]
}

const helm = findTool('helm', 'what the templates of the Helm chart come out as')
if (helm !== null)
  describe('the Helm chart, rendered', () => {
    const render = (...flags: string[]) => {
      const words = ['template', 'test', join(repository, chart), '--kube-version', '1.30.0', ...flags]
      const text = execFileSync(helm, words, { encoding: 'utf8', stdio: 'pipe' })
      return parseAllDocuments(text)
        .map((document) => document.toJS() as Rendered | null)
        .filter((one) => one !== null)
    }
    const ofKind = (all: readonly Rendered[], kind: string) => all.filter((one) => one.kind === kind)
    const podOf = ({ spec }: Rendered) => (spec['template'] as { spec: PodSpec }).spec

    it('passes its own lint', () => {
      execFileSync(helm, ['lint', '--strict', join(repository, chart)], { stdio: 'pipe' })
    })

    it('holds back every pod, and lets it see its own key only', () => {
      const deployments = ofKind(render(), 'Deployment')
      const names = deployments.map(({ metadata }) => metadata.labels['app.kubernetes.io/component'])
      expect(new Set(names)).toEqual(new Set(serviceNames))
      for (const deployment of deployments) {
        const name = deployment.metadata.labels['app.kubernetes.io/component']!
        const pod = podOf(deployment)
        expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false })
        expect(pod.securityContext).toMatchObject({
          runAsNonRoot: true,
          runAsUser: 65_532,
          seccompProfile: { type: 'RuntimeDefault' },
        })
        expect(pod.topologySpreadConstraints).toHaveLength(2)
        const [container] = pod.containers
        const securityContext = {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        }
        expect(container).toMatchObject({ securityContext })
        for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) expect(container).toHaveProperty(probe)
        expect(container!['env']).toEqual(
          expect.arrayContaining([
            { name: 'REMUDA_SERVICES', value: name },
            { name: 'REMUDA_NATS_INBOX_PREFIX', value: inboxPrefixOf(name) },
          ]),
        )
        const keys = pod.volumes.find((volume) => volume.name === 'nats-key')!.secret!
        expect(keys.items).toEqual([{ key: `${name}.nk`, path: 'nkey' }])
        const mounted = (container!['volumeMounts'] as { name: string }[]).map((mount) => mount.name)
        expect(mounted.toSorted()).toEqual(pod.volumes.map((volume) => volume.name).toSorted())
      }
    })

    it('sends agents to the gateways, all else to query, and nobody anywhere else', () => {
      const all = render()
      expect(ofKind(all, 'Service').map(({ metadata }) => metadata.name)).toEqual([
        'test-remuda-gateway',
        'test-remuda-query',
      ])
      const [{ spec }] = ofKind(all, 'Ingress') as [Rendered]
      const [rule] = spec['rules'] as [{ http: { paths: { path: string; backend: { service: { name: string } } }[] } }]
      expect(rule.http.paths.map(({ path, backend }) => [path, backend.service.name])).toEqual([
        ['/v1/agent', 'test-remuda-gateway'],
        ['/', 'test-remuda-query'],
      ])
      const [everybody, outward, front] = ofKind(all, 'NetworkPolicy') as [Rendered, Rendered, Rendered]
      expect(everybody.spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'] })
      expect(everybody.spec).not.toHaveProperty('ingress')
      const ports = (everybody.spec['egress'] as { ports: { port: number }[] }[]).flatMap((rule) =>
        rule.ports.map(({ port }) => port),
      )
      expect(ports).toEqual([4222, 5432, 53, 53])
      expect(outward.spec['podSelector']).toMatchObject({
        matchExpressions: [{ values: ['deployment', 'health', 'notify', 'policy'] }],
      })
      expect(front.spec['podSelector']).toMatchObject({ matchExpressions: [{ values: ['gateway', 'query'] }] })
    })

    it('gives what is shared to those who need it, in a claim of its own or one that is there', () => {
      const claims = (all: readonly Rendered[]) =>
        ofKind(all, 'Deployment').flatMap((deployment) => {
          const claim = podOf(deployment).volumes.find(({ name }) => name === 'shared')?.persistentVolumeClaim
          return claim === undefined
            ? []
            : [[deployment.metadata.labels['app.kubernetes.io/component'], claim.claimName]]
        })
      const sharing = ['deployment', 'gateway', 'notify', 'query']
      expect(claims(render())).toEqual(sharing.map((name) => [name, 'test-remuda-shared']))
      const given = render('--set', 'shared.claim=theirs')
      expect(claims(given)).toEqual(sharing.map((name) => [name, 'theirs']))
      expect(ofKind(given, 'PersistentVolumeClaim')).toEqual([])
    })

    it('lets pods go one at a time, where there are several', () => {
      expect(ofKind(render(), 'PodDisruptionBudget')).toHaveLength(serviceNames.length)
      const single = serviceNames.flatMap((name) => ['--set', `services.${name}.replicas=1`])
      expect(ofKind(render(...single), 'PodDisruptionBudget')).toEqual([])
    })

    it('can do without what is switched off, and refuses bad values', () => {
      const off = ['ingress.enabled=false', 'networkPolicy.enabled=false', 'bus.tlsSecret=']
      const all = render('--set', off.join(','))
      expect(new Set(all.map(({ kind }) => kind))).toEqual(
        new Set(['ServiceAccount', 'Service', 'Deployment', 'PodDisruptionBudget', 'PersistentVolumeClaim']),
      )
      expect(JSON.stringify(all)).not.toMatch(/REMUDA_NATS_CA|nats-tls/)
      expect(() => render('--set', 'services.relay.replicas=0')).toThrow(/replicas/)
      expect(() => render('--set', 'unheardOf=1')).toThrow(/unheardOf/)
    })
  })
