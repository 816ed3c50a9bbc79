import { CodedError, errorMessage, isCodedError } from '../std/index.ts';

/** Why a build failed. */
export type KustomizeErrorCode =
  /** No kustomization file in a folder that must have one. */
  | 'KustomizationMissing'
  /** A kustomization file (or a file it configures itself with) that cannot be decoded or contradicts itself. */
  | 'KustomizationInvalid'
  /** A file or folder that is named but is not there. */
  | 'FileMissing'
  /** A path that leaves the root it is confined to. */
  | 'PathDenied'
  /** A base that includes itself, directly or through others. */
  | 'BaseCycle'
  /** Text that is not YAML. */
  | 'YamlMalformed'
  /** A document that is not a Kubernetes object. */
  | 'ResourceInvalid'
  /** Two resources with one identity. */
  | 'ResourceConflict'
  /** A patch that is malformed, fits no resource or fails on one. */
  | 'PatchFailed'
  /** A generator whose sources or options are wrong. */
  | 'GeneratorFailed'
  /** A transformer that cannot be applied to a resource. */
  | 'TransformFailed'
  /** A reference that could mean several resources. */
  | 'ReferenceAmbiguous'
  /** A replacement without source, target or field. */
  | 'ReplacementFailed'
  /** A var that is defined twice or has no value. */
  | 'VarFailed'
  /** A remote base or file, with no loader that may fetch it. */
  | 'RemoteDenied'
  /** A plugin that is no builtin: programs and containers are never run. */
  | 'PluginDenied'
  /** A Helm chart, with no engine that may inflate it. */
  | 'HelmDenied'
  /** A budget of the build was crossed. */
  | 'LimitExceeded';

export type KustomizeErrorOptions = { subject?: string | undefined; remedy?: string | undefined; cause?: unknown };

/** A failed build. The message is what kustomize 5.8.1 prints for the same input, where it prints one. */
export class KustomizeError extends CodedError<KustomizeErrorCode> {
  constructor(code: KustomizeErrorCode, message: string, options: KustomizeErrorOptions = {}) {
    const { subject, remedy, cause } = options;
    super({
      code,
      message,
      retryable: false,
      ...(subject === undefined ? {} : { subject }),
      ...(remedy === undefined ? {} : { remedy }),
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/**
 * The same failure seen from one step further out: `prefix: message`, keeping code, subject and remedy.
 * A failure of another room becomes one of this room's with `code`; anything that is no CodedError is a bug and passes through.
 */
export function wrapError(error: unknown, prefix: string, code: KustomizeErrorCode = 'TransformFailed'): unknown {
  return restate(error, (message) => `${prefix}: ${message}`, code);
}

/** The same failure with another message. */
export function restate(error: unknown, message: (was: string) => string, code: KustomizeErrorCode = 'TransformFailed'): unknown {
  if (!isCodedError(error)) return error;
  return new KustomizeError(error instanceof KustomizeError ? error.code : code, message(errorMessage(error)), {
    subject: error.subject,
    remedy: error.remedy,
    cause: error.cause ?? error,
  });
}

/** Runs `work`, naming the step in the error it may throw. */
export function within<T>(prefix: string, work: () => T, code?: KustomizeErrorCode): T {
  try {
    return work();
  } catch (error) {
    throw wrapError(error, prefix, code);
  }
}
