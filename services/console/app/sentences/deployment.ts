import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { PackageEvent } from '#contracts/package.ts'
import type { TemplateEvent } from '#contracts/template.ts'
import type { TaskLogEvent } from '#contracts/taskLog.ts'
import type { ProjectEvent, ReleaseEvent } from '#contracts/project.ts'
import { count, duration, listed } from '../format.ts'
import { because, type SentencesOf } from './words.ts'

const named = (machines: readonly { name: string }[]) => listed(machines.map(({ name }) => name))

const withReasons = (machines: readonly { name: string; reason: string }[]) =>
  listed(machines.map(({ name, reason }) => `${name} (${reason})`))

export const deploymentSentences: SentencesOf<DeploymentEvent> = {
  DeploymentCreated: ({ projectId, version, environmentId, kind }) =>
    `${projectId} ${version} is to be deployed to ${environmentId}${kind === 'automatic' ? ' automatically' : ''}.`,
  DeploymentHeld: ({ detail }) => `The deployment waits: ${detail}`,
  DeploymentResumed: () => 'The deployment waits no more.',
  DeploymentStarted: () => 'The deployment started.',
  TargetsEvaluated: ({ included, excluded }) =>
    `${count(included.length, 'target')} chosen${excluded.length === 0 ? '' : `; left out: ${named(excluded)}`}.`,
  StepStarted: ({ stepId, machineIds }) =>
    `Step ${stepId} started${machineIds.length === 0 ? '' : ` on ${count(machineIds.length, 'machine')}`}.`,
  StepSucceeded: ({ stepId }) => `Step ${stepId} succeeded.`,
  StepFailed: ({ stepId, reason }) => `Step ${stepId} failed: ${reason}`,
  StepSkipped: ({ stepId, reason }) => `Step ${stepId} was skipped: ${reason}`,
  TaskDispatched: ({ stepId, machineId, attempt }, nameOf) =>
    `${nameOf(machineId)} was given step ${stepId}${attempt === 1 ? '' : `, attempt ${attempt}`}.`,
  TaskStarted: ({ stepId, machineId }, nameOf) => `${nameOf(machineId)} started step ${stepId}.`,
  TaskSucceeded: ({ stepId, machineId, durationMs }, nameOf) =>
    `${nameOf(machineId)} finished step ${stepId} in ${duration(durationMs)}.`,
  TaskFailed: ({ stepId, machineId, reason, exitCode, detail }, nameOf) =>
    `${nameOf(machineId)} failed step ${stepId}: ${reason}${exitCode === null ? '' : ` ${exitCode}`}${because(detail)}`,
  TaskLost: ({ stepId, machineId, reason }, nameOf) => `Step ${stepId} on ${nameOf(machineId)} was lost: ${reason}`,
  TargetMarkedDirty: ({ machineId }, nameOf) =>
    `${nameOf(machineId)} gets no work, since a task that was given up may still run on it.`,
  TargetCleaned: ({ machineId }, nameOf) =>
    `${nameOf(machineId)} told how the task ended that had been given up, and may work again.`,
  TaskCancelRequested: ({ machineId, reason }, nameOf) => `${nameOf(machineId)} was told to stop: ${reason}`,
  TargetExcluded: ({ machineId, cause, detail }, nameOf) =>
    `${nameOf(machineId)} was taken out of the deployment (${cause})${because(detail)}`,
  TargetExclusionRequested: ({ name, reason }) => `A person keeps ${name} out of the deployment: ${reason}`,
  TargetExclusionLifted: ({ name, reason }) => `A person lets ${name} be a target again: ${reason}`,
  TargetIncluded: ({ name, reason }) => `A person took ${name} in again: ${reason}`,
  TargetsRevalidated: ({ joined, ignored }) =>
    [
      ...(joined.length === 0 ? [] : [`Targets from now on: ${named(joined)}.`]),
      ...(ignored.length === 0 ? [] : [`Left to automatic deployments: ${named(ignored)}.`]),
    ].join(' '),
  TargetsReevaluated: ({ added, removed, kept, leftOut = [] }) =>
    `Targets looked for again: ${[
      ...(added.length === 0 ? [] : [`added ${named(added)}`]),
      ...(removed.length === 0 ? [] : [`replaced ${named(removed)}`]),
      `kept ${kept.length}`,
      ...(leftOut.length === 0 ? [] : [`left out ${withReasons(leftOut)}`]),
    ].join('; ')}.`,
  CanaryPassed: ({ stepId }) => `Step ${stepId} succeeded on its first targets; the others are held back for now.`,
  ApprovalRequested: ({ message }) => `Approval is asked for: ${message}`,
  ApprovalGiven: ({ comment }) => `Approved${because(comment)}.`,
  ApprovalRefused: ({ comment }) => `Rejected${because(comment)}.`,
  DecisionRequested: ({ stepId, machineId, reason }, nameOf) =>
    `A person is asked what becomes of ${nameOf(machineId)}, which failed step ${stepId}: ${reason}`,
  DecisionMade: ({ machineId, decision, comment }, nameOf) =>
    `A person decided to ${decision} ${nameOf(machineId)}${because(comment)}.`,
  ChildDeploymentRequested: ({ stepId, projectId, version }) =>
    `Step ${stepId} asks for ${projectId} ${version} to be deployed.`,
  ChildCancelRequested: ({ stepId, reason }) => `The deployment that step ${stepId} made is to be cancelled: ${reason}`,
  EffectBegun: ({ stepId, does, machines, healthy, minimum }) =>
    `Step ${stepId} is about to ${does}${machines.length === 0 ? '' : ` ${named(machines)}`}; ${healthy} healthy serve${minimum === null ? '' : `, ${minimum} are to stay`}.`,
  ServingChanged: ({ change, machines }) =>
    `${named(machines)} ${change === 'attached' ? 'serves now' : 'serves no more'}.`,
  MachinesCreated: ({ stepId, machines }) => `Step ${stepId} made ${named(machines)}.`,
  MachinesDestroyed: ({ stepId, machines }) => `Step ${stepId} destroyed ${named(machines)}.`,
  OutputsReported: ({ stepId }) => `An attempt of step ${stepId} that did not succeed told what it had made.`,
  MachineDeregistrationRequested: ({ name }) => `The deployment takes ${name} out of the environment.`,
  DeploymentCancelRequested: ({ reason }) => `Cancelling was asked for: ${reason}`,
  DeploymentSucceeded: ({ outcomes }) => `The deployment succeeded on ${count(outcomes.length, 'target')}.`,
  DeploymentFailed: ({ reason }) => `The deployment failed: ${reason}`,
  DeploymentCancelled: ({ reason }) => `The deployment was cancelled: ${reason}`,
}

export const taskLogSentences: SentencesOf<TaskLogEvent> = {
  TaskLogged: ({ machineId, chunk }, nameOf) => `${nameOf(machineId)} wrote part ${chunk} of its log.`,
}

export const projectSentences: SentencesOf<ProjectEvent> = {
  ProjectCreated: ({ projectId }) => `The project ${projectId} was created.`,
  ProjectRenamed: ({ projectId, name }) => `The project ${projectId} is now called ${name}.`,
  ProcessChanged: ({ projectId, processVersion, process }) =>
    `The process of ${projectId} has ${count(process.steps.length, 'step')} now (version ${processVersion}).`,
  VariablesChanged: ({ projectId, variables }) =>
    `The variables of ${projectId} were changed; there are ${variables.length}.`,
  SecretSet: ({ projectId, name, version }) =>
    `${name} of ${projectId} has a new value (version ${version}), which is sensitive.`,
  SecretDestroyed: ({ projectId, name }) => `The value of ${name} of ${projectId} was destroyed.`,
  ReleaseOverrideSet: ({ projectId, environmentId, version, reason }) =>
    version === null
      ? `${environmentId} takes the newest good release of ${projectId} again: ${reason}.`
      : `${environmentId} is pinned to ${projectId} ${version}: ${reason}.`,
}

export const releaseSentences: SentencesOf<ReleaseEvent> = {
  ReleaseCreated: ({ projectId, version }) => `The release ${projectId} ${version} was made.`,
}

export const templateSentences: SentencesOf<TemplateEvent> = {
  TemplateSaved: ({ name, version }) => `The step template ${name} was saved as version ${version}.`,
  TemplateDeleted: ({ name, reason }) => `The step template ${name} left the library: ${reason}`,
}

export const packageSentences: SentencesOf<PackageEvent> = {
  PackageUploaded: ({ name, version }) => `The package ${name} ${version} was uploaded.`,
  PackageRemoved: ({ name, version, reason }) => `The package ${name} ${version} was given up: ${reason}`,
}
