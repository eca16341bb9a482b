import type { CommandType } from './inboxes.ts'

/** What each command asks for, for people who have never seen it. */
export const commandSentences: Readonly<Record<CommandType, string>> = {
  CreateEnvironment: 'Make an environment. Settings of its policy that are left out take their defaults.',
  RenameEnvironment: 'Show the environment under another name.',
  ChangeEnvironmentPolicy: 'Replace the policy, if it still is the version that the change was made from.',

  RegisterMachine: 'Register a machine, or bring it back after a removal that policy decided.',
  ReregisterMachine: 'Bring up to date what the machine itself knows. What a person set stays.',
  ChangeMachine: 'Give the machine another name, environment or roles.',
  SetMachineProbe: 'Have the server look after a machine without an agent in this way, or (null) not at all.',
  QuarantineMachine: 'Let a machine whose key is used twice do nothing more; asked by a gateway that found it out.',
  ReleaseMachine: 'Let a machine work again that was in quarantine.',
  EnableMachine: 'Let the machine take part in deployments again.',
  DisableMachine: 'Keep the machine out of deployments.',
  DeregisterMachine: 'Take the machine out of its environment.',
  RestoreMachine: 'Register a removed machine again, with its id and its history.',

  CreateEnrollment: 'Make a join token, of whose secret only the hash is told.',
  UseEnrollment: 'Use a join token for a machine.',
  RevokeEnrollment: 'Let nobody in with the join token any more.',
  EnrollMachine: 'Use a join token and register the machine that showed it; asked by a gateway that verified its key.',

  CreateToken: 'Make an API token, of whose secret only the hash is told.',
  RevokeToken: 'Let the API token open nothing any more.',

  RecordHeard: 'Recorded by health itself when a machine was heard. Asked for by others, it is refused.',
  RecordLate: 'Recorded by health itself when a machine is late. Asked for by others, it is refused.',
  RecordSilent: 'Recorded by health itself when a machine is silent. Asked for by others, it is refused.',
  RecordCheck: 'Recorded by health itself when a check was made. Asked for by others, it is refused.',
  ForgetHealth: 'Recorded by health itself when a machine is gone. Asked for by others, it is refused.',
  ConfirmUnavailable: 'Confirm before a removal that the machine still does not answer. Records nothing.',
  CheckMachine: 'Ask the machine for a sign of life now. Answered with its status and the round trip.',

  ReleaseWithheldRemovals: 'Let withheld removals go: of the machines named, or (null) all.',
  CloseReleaseCircuit: 'Let a release that failed too often be deployed by itself again.',
  RevertDecision: 'Take back what one decision of the policy did, as one command.',
  ListProviders: 'Tell of the providers of machines and how they answer. Records nothing.',
  ListGroup: 'Tell who is in a group of a provider of machines, such as an auto-scaling group. Records nothing.',
  BacktestPolicy: 'Answer with what a policy would have done in a time that is gone. Records nothing.',
  WhatIf: 'Answer with what would follow if machines fell silent now and did not come back. Records nothing.',
  ExplainRemoval: 'Answer with every clause of the removal of a machine, and which hold now. Records nothing.',
  CarryOutRemoval: 'Carry out a removal that was decided, unless the machine answers by now.',

  CreateProject: 'Make a project.',
  RenameProject: 'Show the project under another name.',
  ChangeProcess: 'Replace the steps of the project, if they still are those that the change was made from.',
  ChangeVariables: 'Replace the variables of the project.',
  DestroyVariable: 'Make every value that the sensitive variables of this name ever had unreadable.',
  SetReleaseOverride: 'Pin the release that the environment should have; null goes back to the last success.',
  CreateRelease: 'Freeze steps and variables of the project under a version.',

  AddPackage:
    'Give a package this version, of bytes that are stored under their digest. The same again changes nothing.',
  RemovePackage: 'Give up a version of a package that no release refers to.',
  PrunePackage: 'Give up all versions of a package but the newest and those that releases refer to.',

  SaveTemplate: 'Save a step template as its next version, or under the version that it had elsewhere.',
  DeleteTemplate: 'Take a step template out of the library. Steps that were made of it stay as they are.',

  CreateDeployment: 'Deploy a release to an environment: to the machines named, or (null) to all that it is for.',
  CancelDeployment: 'End the deployment before its time.',
  ExcludeTarget: 'Keep a machine out of the deployment, whatever is evaluated later.',
  IncludeTarget: 'Take a machine in again that a person kept out, or that left for a reason that is over.',
  DecideDeployment: 'Answer what the deployment waits for: an approval, or what becomes of a target that failed.',
  RedeployDeployment: 'Deploy the same release again, to the machines that this deployment was for.',
  RetryDeployment: 'Deploy the same release again, to the targets on which this deployment did not succeed.',
  RecordTaskStarted: 'The machine has begun with an attempt; asked by the gateway that it told.',
  RecordTaskResult: 'The attempt ended on the machine; asked by the gateway that it told.',
  AppendTaskLog: 'Keep a chunk of what the attempt printed. A chunk that comes twice is kept once.',
  GetWorkOrder: 'Answer with all that the machine needs to run the attempt. Records nothing.',

  CreateWebhook: 'Make a webhook, whose signing secret is in the vault already.',
  ChangeWebhook: 'Give the webhook another name or address, or have it hear of other things.',
  RotateWebhookSecret: 'Sign with another secret, and for a while with the previous one as well.',
  EnableWebhook: 'Have the webhook send again, beginning with what happens from now on.',
  DisableWebhook: 'Have the webhook send nothing any more.',
  DeleteWebhook: 'Take the webhook away, and destroy its secrets.',
  TestWebhook: 'Send a test now, and answer with what the receiver said. Records nothing.',
  ListDeliveries: 'Tell of the last deliveries of a webhook and of what waits. Records nothing.',

  PingMachine: 'Tell whether the machine answers at this moment, and how fast.',
}
