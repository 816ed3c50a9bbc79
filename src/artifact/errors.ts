import { CodedError, type ErrorDetails } from '../std/index.ts';

/** Every way reading, writing or keeping an artifact can fail. */
export type ArtifactErrorCode =
  /** Not a gzip or tar archive, or a broken one. */
  | 'ArchiveInvalid'
  /** An entry's name leaves the archive, or is none we would write. */
  | 'PathRefused'
  /** A symbolic or hard link where links are refused (KB07). */
  | 'LinkRefused'
  /** A device, pipe or other entry that is no file, folder or link. */
  | 'EntryUnsupported'
  /** Two entries with one name but different content, or names that differ only by case where that matters. */
  | 'EntryAmbiguous'
  /** A named bound was crossed. */
  | 'LimitExceeded'
  /** The artifact has no layer, or none of the wanted media type (OB18). */
  | 'LayerNotFound'
  /** The store has no such file. */
  | 'ArtifactNotFound'
  /** The stored file is not what its digest says. */
  | 'DigestMismatch'
  /** The disk refused. */
  | 'StorageFailed'
  /** A folder or file to be archived cannot be read. */
  | 'SourceUnreadable';

/** A failed artifact operation. */
export class ArtifactError extends CodedError<ArtifactErrorCode> {
  override readonly name = 'ArtifactError';
}

/** The error, not retryable unless said otherwise: the same bytes fail the same way. */
export function artifactError(
  code: ArtifactErrorCode,
  message: string,
  details: Partial<ErrorDetails<ArtifactErrorCode>> = {},
): ArtifactError {
  return new ArtifactError({ code, message, retryable: false, ...details });
}
