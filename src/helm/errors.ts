import { CodedError } from '../std/index.ts';

/** Why an operation of this room failed. Messages are Helm's own, so that users find them in Helm's documentation and issues. */
export type HelmErrorCode =
  /** A bound on untrusted input was crossed: a file, a chart, a nesting. */
  | 'LimitExceeded'
  /** A render or validation would take more than its budget. */
  | 'BudgetExceeded'
  /** The archive is no chart package, or a hostile one. */
  | 'ArchiveInvalid'
  /** The chart's files do not make a chart. */
  | 'ChartInvalid'
  /** The index of a chart repository cannot be read, or what it says cannot be used. */
  | 'IndexInvalid'
  /** The repository has no such chart, or no version that fits. */
  | 'ChartNotFound'
  /** The package is not the one the repository's index names. */
  | 'DigestMismatch'
  /** A dependency named in Chart.yaml is not in charts/. */
  | 'DependencyMissing'
  /** Dependencies cannot be processed with these values. */
  | 'DependencyFailed'
  /** Values text or a --set expression cannot be read. */
  | 'ValuesInvalid'
  /** Chart and user values cannot be put together. */
  | 'ValuesConflict'
  /** The values do not meet values.schema.json. */
  | 'ValuesRejected'
  /** values.schema.json itself is wrong. */
  | 'SchemaInvalid'
  /** values.schema.json refers to a document that would have to be fetched. */
  | 'SchemaReferenceRefused'
  /** The chart does not support this Kubernetes version. */
  | 'KubeVersionIncompatible'
  /** The chart is a library. */
  | 'ChartNotInstallable'
  /** A release name Helm would refuse. */
  | 'ReleaseNameInvalid'
  /** A template does not parse. */
  | 'TemplateInvalid'
  /** A template failed while it ran; also `required` and `fail`. */
  | 'RenderFailed'
  /** A rendered document is no YAML object. */
  | 'ManifestInvalid'
  | 'PostRenderFailed'
  /** A stored release cannot be read. */
  | 'ReleaseInvalid'
  /** The render did not end in time and was stopped. */
  | 'DeadlineExceeded'
  /** The caller's signal ended the render. */
  | 'Cancelled'
  /** The render worker died, most likely out of memory. */
  | 'WorkerFailed';

/** An error of this room. None can be cured by trying again with the same inputs, except a deadline. */
export function helmError(
  code: HelmErrorCode,
  message: string,
  { subject, cause, remedy }: { subject?: string; cause?: unknown; remedy?: string } = {},
): CodedError<HelmErrorCode> {
  return new CodedError<HelmErrorCode>({
    code,
    message,
    retryable: code === 'DeadlineExceeded' || code === 'WorkerFailed',
    ...(subject === undefined ? {} : { subject }),
    ...(cause === undefined ? {} : { cause }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}
