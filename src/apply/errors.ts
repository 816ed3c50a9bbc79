import { CodedError, errorMessage, isCodedError } from '../std/index.ts';
import { formatObjectRef, type ObjectRef } from '../manifest/index.ts';
import { KubeError, isKubeError } from '../kube/index.ts';
import type { ApplyResult } from './request.ts';

/** Every way this room fails. */
export type ApplyErrorCode =
  | 'DryRunFailed'
  | 'ApplyFailed'
  | 'TakeoverFailed'
  | 'RecreateFailed'
  | 'StageNotReady'
  | 'PruneFailed'
  | 'InventoryInvalid'
  | 'IgnoreRuleInvalid'
  | 'Aborted';

/** One object that could not be applied. `message` is Flux's text for it. */
export type ObjectFailure = { ref: ObjectRef; code: ApplyErrorCode; message: string; cause: unknown };

/** An apply that did not go through. `partial` is what was done before it stopped: its inventory must be kept. */
export class ApplyError extends CodedError<ApplyErrorCode> {
  override readonly name: string = 'ApplyError';
  /** Every object that failed, in apply order (KB52). */
  readonly failures: readonly ObjectFailure[];
  readonly partial: ApplyResult;

  constructor(code: ApplyErrorCode, failures: readonly ObjectFailure[], partial: ApplyResult, message?: string) {
    const first = failures[0];
    super({
      code,
      message: message ?? failures.map((failure) => failure.message).join('\n'),
      ...(first === undefined ? {} : { subject: formatObjectRef(first.ref), cause: first.cause }),
      retryable: failures.length === 0 || failures.some(({ cause }) => !isCodedError(cause) || cause.retryable),
    });
    this.failures = failures;
    this.partial = partial;
  }
}

/** KB54: what Flux says when a dry-run fails. */
export function dryRunFailure(ref: ObjectRef, cause: unknown): ObjectFailure {
  const name = formatObjectRef(ref);
  const text = causeText(cause);
  if (isKubeError(cause, 'NotFound')) {
    const what = ref.namespace === '' ? 'namespace not specified' : 'not found';
    const plain = text.startsWith('namespace not specified: ') ? text.slice('namespace not specified: '.length) : text;
    return { ref, code: 'DryRunFailed', message: `${name} ${what}: ${plain}`, cause };
  }
  const reason = reasonOf(cause);
  return { ref, code: 'DryRunFailed', message: `${name} dry-run failed${reason === '' ? '' : ` (${reason})`}: ${text}`, cause };
}

/** What Flux says when an apply fails after its dry-run went well. */
export function applyFailure(ref: ObjectRef, cause: unknown): ObjectFailure {
  return { ref, code: 'ApplyFailed', message: `${formatObjectRef(ref)} apply failed: ${causeText(cause)}`, cause };
}

export function takeoverFailure(ref: ObjectRef, cause: unknown): ObjectFailure {
  return {
    ref,
    code: 'TakeoverFailed',
    message: `${formatObjectRef(ref)} metadata.managedFields cleanup failed: ${causeText(cause)}`,
    cause,
  };
}

export function recreateFailure(ref: ObjectRef, what: 'delete object' | 'wait for object to be deleted', cause: unknown): ObjectFailure {
  return {
    ref,
    code: 'RecreateFailed',
    message: `${formatObjectRef(ref)} immutable field detected, failed to ${what}: ${causeText(cause)}`,
    cause,
  };
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof KubeError)) return '';
  const conflict = cause.causes.find(({ reason }) => reason === 'FieldManagerConflict');
  return conflict?.reason ?? cause.reason ?? '';
}

/** The server's own words when it answered, else the cause without the call it belongs to. */
export function causeText(cause: unknown): string {
  if (!(cause instanceof KubeError)) return errorMessage(cause);
  if (cause.serverMessage !== '') return cause.serverMessage;
  const colon = cause.message.indexOf(': ');
  return colon < 0 ? cause.message : cause.message.slice(colon + 2);
}

const IMMUTABLE = /is\simmutable|immutable\sfield/;

/** KB55: how the failure speaks of immutability. `likely` may also be any other validation error or conflict. */
export function immutability(cause: unknown): 'sure' | 'likely' | 'no' {
  if (IMMUTABLE.test(causeText(cause))) return 'sure';
  return isKubeError(cause, 'Conflict', 'Invalid') ? 'likely' : 'no';
}
