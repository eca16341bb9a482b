import type { PackageRow } from '#contracts/package.ts'
import type { PlanReply } from '#contracts/planRows.ts'
import type { DeploymentRow, ProjectRow } from '#contracts/rows.ts'
import type { VariableRow } from '#contracts/variableRow.ts'
import { sendAnswer, sendRefusal } from '#libs/http/answer.ts'
import type { Http } from '#libs/http/http.ts'
import { takeUploads } from '#libs/http/upload.ts'
import { agoIso, minuteMs, waitingDeployment } from './consoleRows.ts'

/** What is deployed and how, beside what `consoleApi` shows of it. */
interface DeliveryWorld {
  projects: readonly ProjectRow[]
  deployments: readonly DeploymentRow[]
  packages: readonly PackageRow[]
}

export const packageRow = (name: string, version: string, ageMs: number): PackageRow => ({
  ...{ name, version, digest: version.charCodeAt(0).toString(16).padStart(64, 'ab12'), sizeBytes: 48_230_144 },
  ...{ mediaType: 'application/gzip', uploadedAt: agoIso(ageMs), uploadedBy: 'token:ci' },
})

export const packageRows = [
  packageRow('shop', '1.5.0-rc.1', 50 * minuteMs),
  packageRow('shop', '1.4.2', 9_000 * minuteMs),
  packageRow('search', '2.0.0', 700 * minuteMs),
]

export const queuedId = '0199a000-0000-7000-8000-000000000003'
export const queuedDeployment: DeploymentRow = {
  ...waitingDeployment,
  ...{ id: queuedId, version: '1.6.0', state: 'queued', approval: null, targets: [], priority: 7, startedAt: null },
  waiting: {
    ...{ reason: 'frozen', detail: 'the environment production is frozen: the weekend', position: 2 },
    until: agoIso(-50 * 60 * minuteMs),
  },
  steps: waitingDeployment.steps.map((step) => ({
    ...step,
    ...{ state: 'pending' as const, startedAt: null, endedAt: null, deadlineAt: null, reason: null },
  })),
  deadlineAt: null,
}

const change = (version: number, type: string, why: string, added = 0, excluded = 0) => ({
  ...{ version, at: agoIso((13 - version) * minuteMs), position: 30 + version, actor: 'service:deployment' },
  ...{ type, stepId: null, why, added, excluded },
})
const move = (machineId: string, reason: string, version: number) => ({ machineId, name: machineId, reason, version })

/** A plan of which the first step runs elsewhere, `install` has a canary, and what comes after it runs beside it. */
export function planOf({ id, state, steps, targets }: DeploymentRow): PlanReply {
  const included = targets.filter(({ outcome }) => outcome === 'included' || outcome === 'succeeded')
  const machineIds = included.map(({ machineId }) => machineId)
  return {
    ...{ deploymentId: id, state, version: 4, latestVersion: 4, at: agoIso(9 * minuteMs) },
    targets: included.map(({ machineId, name, roles }) => ({ machineId, name, roles })),
    steps: steps.map((step, at) => ({
      ...{ id: step.id, name: step.name, kind: step.kind, group: at > 3 ? at - 1 : Math.min(at, 2), skipped: null },
      machineIds: ['install', 'well'].includes(step.id) ? machineIds : [],
      canary: step.id === 'install' ? machineIds.slice(0, 1) : null,
    })),
    changes: [
      change(1, 'DeploymentCreated', `made of the ${steps.length} steps of the release`),
      change(2, 'TargetsEvaluated', 'the targets were chosen: 2 let in, 0 left out', 2),
      change(3, 'TargetsReevaluated', 'step find chose anew: 3 joined, 2 left', 3, 2),
      change(4, 'TargetExcluded', 'web-13 left out: failed: exit code 1', 0, 1),
    ],
    difference: { against: 3, added: [], notLetIn: [], steps: [], removed: [move('web-13', 'failed: exit code 1', 4)] },
  }
}

/** One that has not started has the plan that it was made with. */
const unstarted = (plan: PlanReply): PlanReply => ({
  ...plan,
  ...{ version: 1, latestVersion: 1, changes: plan.changes.slice(0, 1) },
  difference: { against: 1, added: [], notLetIn: [], steps: [], removed: [] },
})

const earlier = (plan: PlanReply, version: number, against: number): PlanReply => ({
  ...plan,
  version,
  difference: {
    ...{ against, notLetIn: [], steps: [] },
    added: ['web-11', 'web-12', 'web-13'].map((id) => move(id, 'named by build.names', 3)),
    removed: ['web-01', 'web-02'].map((id) => move(id, 'not named by build.names', 3)),
  },
})

const hidden = { schema: { hide: true } }
const read = { ...hidden, config: { scope: 'read' } } as const
const write = { ...hidden, config: { scope: 'write', versioned: true } } as const
type Named = { readonly id: string; readonly name: string; readonly version: string }

export function deliveryRoutes(app: Http, world: DeliveryWorld): void {
  const done = { accepted: true, position: 0, result: {} } as const
  app.get('/v1/deployments/:id/plan', read, (request, reply) => {
    const row = world.deployments.find(({ id }) => id === (request.params as Named).id)
    if (row === undefined) return sendRefusal(reply, { refused: 'DEPLOYMENT_UNKNOWN', detail: 'Not in the fixture.' })
    if (row.state === 'queued') return unstarted(planOf(row))
    const { version = '4', against = '3' } = request.query as Record<string, string>
    return version === '4' && against === '3' ? planOf(row) : earlier(planOf(row), Number(version), Number(against))
  })
  for (const verb of ['retry', 'redeploy'])
    app.post(`/v1/deployments/:id/${verb}`, write, (_, reply) =>
      sendAnswer(reply, { ...done, result: { id: queuedId } }),
    )
  for (const [verb, outcome] of [
    ['exclude', 'excluded'],
    ['include', 'included'],
  ] as const)
    app.post(`/v1/deployments/:id/${verb}`, write, (request, reply) => {
      const { machineId } = request.body as { machineId: string }
      world.deployments = world.deployments.map((one) => ({
        ...one,
        targets: one.targets.map((target) => (target.machineId === machineId ? { ...target, outcome } : target)),
      }))
      return sendAnswer(reply, done)
    })
  app.put('/v1/projects/:id/variables', write, (request, reply) => {
    const { variables } = request.body as { variables: readonly VariableRow[] }
    const project = world.projects.find(({ id }) => id === (request.params as Named).id)!
    if (request.headers['if-match'] !== `"${project.variablesVersion}"`)
      return sendRefusal(reply, { refused: 'VERSION_CHANGED', detail: 'They have another version by now.' })
    const shown = variables.map((one) => (one.sensitive === true ? { ...one, value: null } : one))
    const variablesVersion = project.variablesVersion + 1
    world.projects = world.projects.map((one) =>
      one === project ? { ...one, variables: shown, variablesVersion } : one,
    )
    return sendAnswer(reply, done)
  })
  app.post('/v1/projects/:id/variables/:name/destroy', write, (request, reply) => {
    const { id, name } = request.params as Named
    const destroyed = (row: VariableRow) => (row.name === name ? { ...row, destroyed: true as const } : row)
    world.projects = world.projects.map((one) =>
      one.id === id ? { ...one, variables: one.variables.map(destroyed) } : one,
    )
    return sendAnswer(reply, done)
  })
  packageRoutes(app, world)
}

function packageRoutes(app: Http, world: DeliveryWorld): void {
  const done = { accepted: true, position: 0, result: {} } as const
  app.get('/v1/packages', read, () => ({ items: world.packages, next: null }))
  app.delete('/v1/packages/:name/versions/:version', write, (request, reply) => {
    const { name, version } = request.params as Named
    world.packages = world.packages.filter((row) => row.name !== name || row.version !== version)
    return sendAnswer(reply, done)
  })
  void app.register(async (uploads: Http) => {
    takeUploads(uploads, ['application/octet-stream'])
    uploads.post('/v1/packages/:name/versions/:version', write, async (request, reply) => {
      let sizeBytes = 0
      for await (const chunk of request.raw) sizeBytes += (chunk as Buffer).length
      const { name, version } = request.params as Named
      const row = { ...packageRow(name, version, 0), sizeBytes }
      world.packages = [...world.packages, row]
      sendAnswer(reply, { ...done, result: { ...row } }, { status: 201 })
      return reply
    })
  })
}
