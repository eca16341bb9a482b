import type { EventType } from './streams.ts'

/** What each event says happened, for people who have never seen it. */
export const eventSentences: Readonly<Record<EventType, string>> = {
  EnvironmentCreated: 'There is a new environment, with the policy that holds in it.',
  EnvironmentRenamed: 'The environment is shown under another name. Its id stays.',
  EnvironmentPolicyChanged: 'Another policy holds in the environment from now on, under a higher policy version.',

  MachineRegistered: 'The machine exists. When it had been removed before, it says why.',
  MachineReregistered: 'The machine told anew what it is: its system, its addresses, its attributes.',
  MachineChanged: 'A person gave the machine another name, environment or roles.',
  MachineEnabled: 'The machine takes part in deployments again.',
  MachineDisabled: 'The machine stays registered and takes part in no deployment.',
  MachineDeregistered: 'The machine was taken out of its environment, with the cause and the evidence.',
  MachineRestored: 'The machine that had been removed is registered again, with its id and its history.',

  EnrollmentCreated: 'There is a join token. Its secret is kept as a hash only.',
  EnrollmentUsed: 'A machine entered its environment with the join token.',
  EnrollmentRevoked: 'The join token lets nobody in any more.',

  TokenCreated: 'There is an API token. Its secret is kept as a hash only.',
  TokenRevoked: 'The API token opens nothing any more.',

  MachineBecameHealthy: 'The machine answers.',
  HealthCheckFailed: 'A check of the machine failed, which alone changes nothing about whether it is available.',
  MachineBecameUnavailable: 'The machine has not answered for longer than the policy allows, while it was observed.',
  HealthForgotten: 'Nobody watches the machine any more, since it is not registered.',

  ObservationGapStarted: 'From here on Remuda did not observe. No timer counts this time.',
  ObservationGapEnded: 'Remuda observes again.',

  RemovalRequested: 'The policy decided that the machine be removed, and on what evidence.',
  RemovalWithheld: 'The machine would be removed, but too many fail at once, so it is kept until that has cleared.',
  RemovalsResumed: 'Removals that were withheld are let go, and by what: recovery, a person or the rate.',
  RemovalAbandoned: 'A removal that was decided does not happen, since the machine answers or is gone already.',
  AutomaticDeploymentRequested: 'The release is deployed to machines that lack it.',
  AutomaticDeploymentSettled: 'The automatic deployment ended, and on which machines it succeeded.',
  AutomaticDeploymentSkipped: 'The machine does not get the release by itself, and by which clause.',
  AutomaticDeploymentAbandoned: 'The automatic deployment that was decided did not take place.',
  ReleaseCircuitOpened: 'The release failed on too many machines: it is not deployed by itself any more.',
  ReleaseCircuitClosed: 'The release may be deployed by itself again.',

  ProjectCreated: 'There is a new project.',
  ProjectRenamed: 'The project is shown under another name. Its id stays.',
  ProcessChanged: 'The steps of the project are others from now on. Releases that exist keep theirs.',
  VariablesChanged: 'The variables of the project are others from now on. Releases that exist keep theirs.',
  ReleaseOverrideSet: 'The environment should have this release, or (null) the last that succeeded.',

  ReleaseCreated: 'There is a release: a snapshot of steps and variables that never changes.',

  DeploymentCreated: 'A release is to be deployed to an environment, with all that is needed to do it.',
  DeploymentStarted: 'The deployment has left the queue.',
  TargetsEvaluated: 'The machines that are targets, and those that are not, with the reason.',
  StepStarted: 'A step began, on these machines.',
  StepSucceeded: 'A step succeeded.',
  StepFailed: 'A step failed, and why.',
  StepSkipped: 'A step was not run, and why.',
  TaskDispatched: 'An attempt of a step was handed out to a machine.',
  TaskStarted: 'The machine has begun with the attempt.',
  TaskSucceeded: 'The attempt succeeded, with its output variables.',
  TaskFailed: 'The attempt failed, with its exit code and the reason.',
  TaskLost: 'Nothing was heard of the attempt any more, so nobody knows how it ended.',
  TaskCancelRequested: 'The machine is told to stop the attempt.',
  TargetExcluded: 'A machine is no longer a target of the deployment, and why.',
  TargetsReevaluated: 'The targets were looked up anew: who joined, who left and who stayed.',
  ApprovalRequested: 'The deployment waits for a person, until the deadline.',
  ApprovalGiven: 'A person approved.',
  ApprovalRefused: 'A person refused.',
  MachineDeregistrationRequested: 'The deployment wants the machine taken out of the registry.',
  DeploymentCancelRequested: 'The deployment is to end before its time.',
  DeploymentSucceeded: 'The deployment ended well, with the outcome of every target.',
  DeploymentFailed: 'The deployment failed, with the reason and the outcome of every target.',
  DeploymentCancelled: 'The deployment was cancelled, with the outcome of every target.',

  TaskLogged: 'A chunk of what the attempt printed.',
}
