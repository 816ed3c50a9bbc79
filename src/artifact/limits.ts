/** Bounds on an archive; crossing one is `LimitExceeded`. */
export type ArchiveLimits = {
  /** Compressed bytes. Default 512 MiB. */
  compressedBytes: number;
  /** Unpacked bytes, headers included. Default 1 GiB. */
  bytes: number;
  /** Unpacked bytes per compressed byte, once past `ratioFloor`. Default 250. */
  ratio: number;
  /** Unpacked bytes up to which no ratio is looked at. Default 32 MiB. */
  ratioFloor: number;
  /** Entries of any kind, extended headers included. Default 200,000. */
  entries: number;
  /** Folders above a file. Default 100. */
  depth: number;
  /** Bytes of one path. Default 4,096. */
  pathBytes: number;
  /** Bytes of one extended header. Default 1 MiB. */
  headerBytes: number;
};

/** The bounds that hold when the caller names no other. */
export const defaultArchiveLimits: ArchiveLimits = {
  compressedBytes: 512 * 1024 * 1024,
  bytes: 1024 * 1024 * 1024,
  ratio: 250,
  ratioFloor: 32 * 1024 * 1024,
  entries: 200_000,
  depth: 100,
  pathBytes: 4096,
  headerBytes: 1024 * 1024,
};
