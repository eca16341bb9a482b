/**
 * Every way in which Remuda says no. A code means one thing for ever: add, never rename or reuse.
 * `status` is the HTTP status, `sentence` says what is wrong in general; the refusal's detail says it of this case
 * and how to put it right.
 */
export const refusals = {
  REQUEST_INVALID: {
    status: 400,
    sentence: 'The request does not have the shape that this route takes.',
  },
  CREDENTIAL_MISSING: { status: 401, sentence: 'This request needs a credential.' },
  CREDENTIAL_INVALID: {
    status: 401,
    sentence: 'This credential is not valid: unknown, expired or revoked.',
  },
  PERMISSION_DENIED: { status: 403, sentence: 'This credential may not do that.' },
  ROUTE_UNKNOWN: { status: 404, sentence: 'There is nothing at this address.' },
  METHOD_NOT_ALLOWED: { status: 405, sentence: 'This address does not take that method.' },
  BODY_TOO_LARGE: { status: 413, sentence: 'The request is larger than this route takes.' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, sentence: 'This route takes application/json.' },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    sentence: 'This Idempotency-Key came before, with another body.',
  },
  VERSION_CHANGED: { status: 412, sentence: 'It was changed in the meantime.' },
  TOO_MANY_REQUESTS: { status: 429, sentence: 'Too many requests in a short time.' },
  POSITION_NOT_REACHED: {
    status: 504,
    sentence: 'The read model has not reached that position in time.',
  },
  ASOF_INVALID: { status: 400, sentence: 'This is no moment of the past that can be asked for.' },
  ASOF_TOO_FAR: { status: 422, sentence: 'To show that moment takes more than this server does for one request.' },
  ASOF_BUSY: { status: 429, sentence: 'Too many moments of the past are being looked up already.' },
  SERVICE_UNAVAILABLE: {
    status: 503,
    sentence: 'A part of Remuda that this needs does not answer.',
  },
  FAULT: { status: 500, sentence: 'Something went wrong in Remuda.' },

  ENVIRONMENT_UNKNOWN: { status: 404, sentence: 'There is no such environment.' },
  ENVIRONMENT_EXISTS: { status: 409, sentence: 'There is already an environment with this id.' },
  POLICY_IMPOSSIBLE: { status: 422, sentence: 'This policy could never work.' },

  MACHINE_UNKNOWN: { status: 404, sentence: 'There is no such machine.' },
  MACHINE_NAME_TAKEN: {
    status: 409,
    sentence: 'Another registered machine of this environment has this name.',
  },
  MACHINE_REMOVED: { status: 409, sentence: 'The machine has been removed.' },
  MACHINE_NOT_REMOVED: {
    status: 409,
    sentence: 'The machine is not on the list of removed machines.',
  },
  MACHINE_ANSWERS: {
    status: 409,
    sentence: 'The machine answers, so it is not removed as unavailable.',
  },
  MACHINE_HAS_AGENT: { status: 409, sentence: 'The machine has an agent, which says itself how it is.' },
  MACHINE_KEY_MISMATCH: { status: 409, sentence: 'The machine is registered with another key.' },

  INCIDENT_UNKNOWN: { status: 404, sentence: 'There is no such incident.' },
  BACKTEST_BUSY: { status: 429, sentence: 'Another backtest is running, and they run one at a time.' },
  BACKTEST_TOO_LARGE: { status: 422, sentence: 'The backtest would have to read more than it may.' },
  BACKTEST_TIMED_OUT: { status: 504, sentence: 'The backtest was not done in the time that it may take.' },
  DECISION_UNKNOWN: { status: 404, sentence: 'There is no such decision, or it removed nobody.' },

  ENROLLMENT_UNKNOWN: { status: 401, sentence: 'The join token is not valid.' },
  ENROLLMENT_EXPIRED: { status: 401, sentence: 'The join token has expired.' },
  ENROLLMENT_USED_UP: { status: 401, sentence: 'The join token has been used as often as it may.' },
  ENROLLMENT_REVOKED: { status: 401, sentence: 'The join token has been revoked.' },
  ENROLLMENT_SCOPE: { status: 403, sentence: 'The join token does not allow these roles.' },

  PARKED_UNKNOWN: { status: 404, sentence: 'No reactor has set aside an event at this position.' },
  TOKEN_UNKNOWN: { status: 404, sentence: 'There is no such API token.' },

  PROJECT_UNKNOWN: { status: 404, sentence: 'There is no such project.' },
  PROJECT_EXISTS: { status: 409, sentence: 'There is already a project with this id.' },
  PROCESS_INVALID: { status: 422, sentence: 'This process could never run.' },
  PROCESS_EMPTY: { status: 409, sentence: 'The project has no steps yet.' },
  VARIABLES_INVALID: { status: 422, sentence: 'These variables could never be used.' },
  VARIABLE_UNKNOWN: { status: 404, sentence: 'There is no such sensitive variable.' },
  SECRET_TOO_SHORT: { status: 422, sentence: 'This value is too short to be kept out of logs.' },
  SECRET_VALUE_MISSING: { status: 422, sentence: 'A sensitive variable has no value to keep.' },
  SECRET_DESTROYED: { status: 409, sentence: 'The value of a sensitive variable has been destroyed.' },
  SECRET_UNREADABLE: { status: 409, sentence: 'The value of a sensitive variable cannot be read.' },
  RELEASE_UNKNOWN: { status: 404, sentence: 'There is no such release.' },
  RELEASE_EXISTS: { status: 409, sentence: 'There is already a release with this version.' },

  PACKAGE_UNKNOWN: { status: 404, sentence: 'There is no such package.' },
  PACKAGE_EXISTS: { status: 409, sentence: 'There is already another package with this name and version.' },
  PACKAGE_IN_USE: { status: 409, sentence: 'A release refers to this package.' },
  PACKAGE_VERSIONS_TOO_MANY: { status: 409, sentence: 'The package has as many versions as it may have.' },
  PACKAGE_FORMAT_UNKNOWN: { status: 422, sentence: 'This is no archive that machines can unpack.' },
  PACKAGE_DIGEST_WRONG: { status: 422, sentence: 'The bytes that came are not those that were announced.' },
  PACKAGE_ADDRESS_REFUSED: { status: 422, sentence: 'The address of a package leads where this server does not go.' },
  PACKAGE_FETCH_FAILED: { status: 422, sentence: 'What is at the address of a package could not be looked at.' },
  PACKAGE_INCOMPLETE: { status: 400, sentence: 'The upload ended before all bytes had come.' },
  PACKAGE_CORRUPT: { status: 500, sentence: 'The stored bytes of the package are missing or damaged.' },
  RANGE_UNSATISFIABLE: { status: 416, sentence: 'There are no bytes in the range that was asked for.' },

  TEMPLATE_UNKNOWN: { status: 404, sentence: 'There is no such step template.' },
  TEMPLATE_INVALID: { status: 422, sentence: 'This step template could never give a step that runs.' },
  TEMPLATE_VERSION_TAKEN: { status: 409, sentence: 'This version of the step template is taken or passed.' },
  TEMPLATE_VERSIONS_TOO_MANY: { status: 409, sentence: 'The step template has as many versions as it may have.' },

  DEPLOYMENT_UNKNOWN: { status: 404, sentence: 'There is no such deployment.' },
  PLAN_VERSION_UNKNOWN: { status: 404, sentence: 'The plan of the deployment has no such version.' },
  START_TIME_INVALID: { status: 422, sentence: 'Nothing can be set to start at this time.' },
  DEPLOYMENT_EXISTS: { status: 409, sentence: 'There is already a deployment with this id.' },
  DEPLOYMENT_ENDED: { status: 409, sentence: 'The deployment has ended.' },
  DEPLOYMENT_NOT_ENDED: { status: 409, sentence: 'The deployment is still running.' },
  TARGET_UNKNOWN: {
    status: 422,
    sentence: 'A machine named as a target is not in this environment.',
  },
  TARGET_LEAVING: { status: 409, sentence: 'The machine is just being excluded. Try again when that is done.' },
  TASK_UNKNOWN: { status: 404, sentence: 'There is no such task.' },
  TASK_FOREIGN: { status: 403, sentence: 'The task belongs to another machine.' },
  NOTHING_TO_DECIDE: { status: 409, sentence: 'The deployment is not waiting for this decision.' },
  DECISION_AMBIGUOUS: { status: 409, sentence: 'The deployment waits for more than one such decision.' },
  DECISION_NOT_OFFERED: { status: 422, sentence: 'This is not among the things to choose from.' },
  WEBHOOK_UNKNOWN: { status: 404, sentence: 'There is no such webhook.' },
  WEBHOOK_INVALID: { status: 422, sentence: 'This webhook would never hear of anything.' },
  WEBHOOK_ADDRESS_REFUSED: { status: 422, sentence: 'Notifications are not sent to this address.' },
  WEBHOOKS_TOO_MANY: { status: 409, sentence: 'There are as many webhooks as there may be.' },

  DEPLOYMENTS_TOO_MANY: { status: 429, sentence: 'Too many deployments are queued.' },
} as const satisfies Record<string, { status: number; sentence: string }>

export type RefusalCode = keyof typeof refusals
