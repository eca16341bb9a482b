import { describe, expect, it } from 'vitest'
import type { Message } from '#contracts/message.ts'
import { EnrollmentRow, TokenRow } from '#contracts/credentialRows.ts'
import { PackageRow } from '#contracts/package.ts'
import { TemplateRow } from '#contracts/template.ts'
import { EnvironmentRow, ProjectRow, ReleaseRow } from '#contracts/rows.ts'
import { enrollments } from '#services/query/views/enrollments.ts'
import { environments } from '#services/query/views/environments.ts'
import { machineEvents } from '#services/query/views/machineEvents.ts'
import { packages } from '#services/query/views/packages.ts'
import { projects, releases } from '#services/query/views/projects.ts'
import { templates, templateVersions } from '#services/query/views/templates.ts'
import { tokens } from '#services/query/views/tokens.ts'
import { verdicts } from '#services/query/views/verdicts.ts'
import * as f from '../facts.ts'
import { at, rowsOf } from './given.ts'

const { environmentId, projectId } = f

describe('an environment', () => {
  const environment = (...facts: Message[]) => rowsOf(environments, facts).get(environmentId)!
  it('is shown with its policy', () => {
    const row = environment(f.environmentCreated())
    expect(row).toEqual({
      id: environmentId,
      name: environmentId,
      policy: f.policy,
      policyVersion: 1,
      createdAt: at(1),
    })
    expect(EnvironmentRow.omit({ machines: true }).strict().parse(row)).toEqual(row)
    expect(environments.tally!(row)).toBe('all')
  })
  it('is renamed and gets another policy', () => {
    const policy = { ...f.policy, guard: { ...f.policy.guard, floor: 9 } }
    const facts = [
      { type: 'EnvironmentRenamed', data: { environmentId, name: 'Stage' } },
      { type: 'EnvironmentPolicyChanged', data: { environmentId, policy, policyVersion: 2 } },
    ]
    expect(environment(f.environmentCreated(), ...facts)).toMatchObject({ name: 'Stage', policy, policyVersion: 2 })
    expect(environment(...facts)).toBeUndefined()
  })
})

describe('a project', () => {
  const project = (...facts: Message[]) => rowsOf(projects, [f.projectCreated, ...facts]).get(projectId)!
  const override = (version: string | null) => ({
    type: 'ReleaseOverrideSet',
    data: { projectId, environmentId, version, reason: 'r' },
  })
  it('begins empty', () => {
    const row = project()
    expect(ProjectRow.strict().parse(row)).toEqual(row)
    expect(row).toMatchObject({
      name: 'Shop',
      process: { steps: [] },
      processVersion: 0,
      latestVersion: null,
      createdAt: at(1),
    })
  })
  it('is renamed, and gets a process and variables', () => {
    const variables = [{ name: 'A', value: '1', environments: [], roles: [] }]
    const facts = [
      { type: 'ProjectRenamed', data: { projectId, name: 'Store' } },
      { type: 'ProcessChanged', data: { projectId, process: f.process, processVersion: 1 } },
      { type: 'VariablesChanged', data: { projectId, variables } },
    ]
    expect(project(...facts)).toMatchObject({ name: 'Store', process: f.process, processVersion: 1, variables })
    expect(rowsOf(projects, [...facts, override('1'), f.released()]).size).toBe(0)
  })
  it('shows of a sensitive variable everything but its value, and whether it was destroyed', () => {
    const of = (version: number) => ({ secretId: '0'.repeat(32), version })
    const stored = (version: number) => ({ name: 'S', value: '', environments: [], roles: [], secret: of(version) })
    const changed = (version: number) => ({
      type: 'VariablesChanged',
      data: { projectId, variables: [stored(version)] },
    })
    const destroyed = { type: 'SecretDestroyed', data: { projectId, ...of(1), name: 'S' } }
    const shown = { ...stored(1), value: null, sensitive: true }
    expect(project(changed(1))).toMatchObject({ variables: [shown], variablesVersion: 1 })
    const after = project(changed(1), destroyed)
    expect(after).toMatchObject({ variables: [{ ...shown, destroyed: true }], variablesVersion: 2 })
    expect(project(changed(1), destroyed, changed(1)).variables).toEqual(after.variables)
    expect(project(changed(1), destroyed, changed(2)).variables).toEqual([{ ...shown, secret: of(2) }])
  })
  it('has overrides by environment', () => {
    expect(project(override('1.0.0')).overrides).toEqual({ staging: '1.0.0' })
    expect(project(override('1.0.0'), override(null)).overrides).toEqual({})
  })
  it('has a latest release', () => {
    expect(project(f.released(), f.released('2.0.0')).latestVersion).toBe('2.0.0')
    const row = rowsOf(releases, [f.released()]).get('shop@1.0.0')!
    expect(ReleaseRow.strict().parse(row)).toEqual(row)
    expect(row).toMatchObject({ version: '1.0.0', targetRoles: ['web'], createdAt: at(1), createdBy: 'tester' })
    expect(row.packages).toEqual([])
  })
  it('has releases that show what they bring', () => {
    const release = f.released()
    const packages = [
      { stepId: 'get', name: 'shop', version: '1', source: 'upload', digest: 'a'.repeat(64), sizeBytes: 3 },
    ] as const
    const brings = { ...release, data: { ...release.data, packages } } as Message
    expect(rowsOf(releases, [brings]).get('shop@1.0.0')!.packages).toEqual(packages)
  })
})

describe('a package', () => {
  const bytes = { digest: 'a'.repeat(64), sizeBytes: 3, mediaType: 'application/zip' }
  const which = { name: 'shop', version: '1.0.0' }
  const uploaded = { type: 'PackageUploaded', data: { ...which, ...bytes } }
  const removed = { type: 'PackageRemoved', data: { ...which, digest: bytes.digest, reason: 'old' } }
  const rows = (...facts: Message[]) => rowsOf(packages, facts)
  it('is listed by version, until it is given up', () => {
    const row = rows(uploaded).get('shop@1.0.0')!
    expect(PackageRow.strict().parse(row)).toEqual(row)
    expect(row).toEqual({ ...which, ...bytes, uploadedAt: at(1), uploadedBy: 'tester' })
    expect(rows(uploaded, removed).size).toBe(0)
    expect(rows(removed).size).toBe(0)
    expect(rows(uploaded, removed, uploaded).size).toBe(1)
  })
})

describe('credentials', () => {
  it('are shown without their hashes: join tokens', () => {
    const used = { type: 'EnrollmentUsed', data: { enrollmentId: 'e1', machineId: 'm-1' } }
    const revoked = { type: 'EnrollmentRevoked', data: { enrollmentId: 'e1', reason: 'r' } }
    const row = rowsOf(enrollments, [f.enrollmentCreated, used]).get('e1')!
    expect(EnrollmentRow.strict().parse(row)).toEqual(row)
    expect(row).toMatchObject({ uses: 1, usesMax: 2, revoked: false, expiresAt: at(1), createdAt: at(1) })
    expect(rowsOf(enrollments, [f.enrollmentCreated, revoked]).get('e1')!.revoked).toBe(true)
    expect(rowsOf(enrollments, [used, revoked]).size).toBe(0)
  })
  it('are shown without their hashes: API tokens', () => {
    const revoked = { type: 'TokenRevoked', data: { tokenId: 't1' } }
    const row = rowsOf(tokens, [f.tokenCreated]).get('t1')!
    expect(TokenRow.strict().parse(row)).toEqual(row)
    expect(row).toMatchObject({ name: 'CI', scope: 'write', expiresAt: null, revoked: false })
    expect(rowsOf(tokens, [f.tokenCreated, revoked]).get('t1')!.revoked).toBe(true)
    expect(rowsOf(tokens, [revoked]).size).toBe(0)
  })
})

describe('the story of a machine', () => {
  const story = (...facts: Message[]) =>
    [...rowsOf(machineEvents, facts).values()].filter(({ machineId }) => machineId === 'm-1').map((entry) => entry.at)
  it('has every fact that is about it, and no other', () => {
    expect(
      story(f.registered('m-1'), f.registered('m-2'), f.healthy('m-1'), f.environmentCreated(), f.removed('m-1')),
    ).toEqual([1, 3, 5])
    expect(story(f.created(), f.evaluated(['m-1']), f.evaluated([], ['m-1']), f.evaluated(['m-2']))).toEqual([2, 3])
    expect(story(f.dispatched('m-1'), f.taskStarted('m-1'), f.taskSucceeded('m-1'), f.logged('m-1', 1, 'x'))).toEqual([
      1, 2, 3,
    ])
    expect(
      story(f.reevaluated(['m-1'], []), f.reevaluated([], ['m-1']), f.succeeded(['m-1']), f.failed([], ['m-1'])),
    ).toEqual([1, 2, 3, 4])
    expect(
      story(f.withheld('m-1'), f.resumed('m-1', 'm-2'), f.resumed('m-2'), f.skipped('m-1'), f.rolloutRequested('m-1')),
    ).toEqual([1, 2, 4, 5])
  })
})

describe('the last verdict on a machine', () => {
  const verdict = (key: string, ...facts: Message[]) => rowsOf(verdicts, facts).get(key)
  it('says what became of its removal', () => {
    expect(verdict('m-1 -', f.withheld('m-1'))).toMatchObject({
      verdict: 'RemovalWithheld',
      machineId: 'm-1',
      projectId: null,
    })
    expect(verdict('m-1 -', f.withheld('m-1'), f.resumed('m-1'))).toMatchObject({
      verdict: 'RemovalsResumed',
      clause: 'recovery',
      at: at(2),
    })
    expect(verdict('m-1 -', f.requested('m-1'))).toMatchObject({
      verdict: 'RemovalRequested',
      clause: 'unavailable',
      detail: expect.stringMatching(/^silent for .+, limit .+/),
    })
    expect(verdict('m-1 -', f.abandoned('m-1'))).toMatchObject({ detail: 'it answers' })
  })
  it('says what became of a release on it', () => {
    expect(verdict('m-1 shop', f.rolloutRequested('m-0', 'm-1'))).toMatchObject({
      ...{ verdict: 'AutomaticDeploymentRequested', deploymentId: f.deploymentId, version: '1.0.0' },
    })
    for (const [clause, fact] of [
      ['succeeded', f.settled(['m-1'], ['m-2'])],
      ['failed', f.settled([], ['m-1'])],
    ] as const)
      expect(verdict('m-1 shop', f.rolloutRequested('m-1'), fact)).toMatchObject({
        verdict: 'AutomaticDeploymentSettled',
        clause,
      })
    expect(verdict('m-1 shop', f.rolloutRequested('m-1'), f.skipped('m-1'))).toMatchObject({
      ...{
        verdict: 'AutomaticDeploymentSkipped',
        clause: 'tries-used-up',
        detail: 'failed 3 times',
        deploymentId: null,
      },
    })
  })
})

describe('a step template', () => {
  const saved = (version: number) => {
    const content = { description: '', parameters: {}, step: { kind: 'script', script: `v${version}` } }
    return { type: 'TemplateSaved', data: { name: 'greet', version, ...content } }
  }
  const deleted = { type: 'TemplateDeleted', data: { name: 'greet', reason: 'old' } }
  const newest = (...facts: Message[]) => rowsOf(templates, facts).get('greet')
  it('is shown as it is newest, until it is deleted', () => {
    const row = newest(saved(1), saved(2))!
    expect(TemplateRow.strict().parse(row)).toEqual(row)
    expect(row).toMatchObject({ version: 2, step: { script: 'v2' }, savedAt: at(2), savedBy: 'tester' })
    expect(newest(saved(1), saved(2), saved(1))).toMatchObject({ version: 2 })
    expect(newest(saved(1), deleted)).toBeUndefined()
    expect(newest(deleted)).toBeUndefined()
    expect(newest(saved(1), deleted, saved(1))).toMatchObject({ version: 1 })
  })
  it('has every version kept, whatever becomes of it', () => {
    const kept = rowsOf(templateVersions, [saved(1), saved(2), deleted])
    expect([...kept.keys()]).toEqual(['greet@1', 'greet@2'])
  })
})
