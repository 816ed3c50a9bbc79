export { ArtifactError, type ArtifactErrorCode } from './errors.ts';
export { archiveTree, filterArchive, walkArchive, ArchiveTreeBuilder, type ArchiveFile, type ArchiveTree } from './archive-tree.ts';
export { defaultArchiveLimits, type ArchiveLimits } from './limits.ts';
export { isGzip, readArchive, readTar, type ReadArchiveOptions } from './read-archive.ts';
export { compress, writeArchive, writeTar, type ArchiveModes } from './write-archive.ts';
export { compileIgnore, defaultPushIgnore, ignoreSets, parseIgnoreText, sourceIgnore, type Ignore, type IgnorePattern } from './ignore.ts';
export { hasWhiteouts, isEmptyLayer, layerTitle, notAnArchive, selectLayer, type LayerInfo, type WantedLayer } from './layer.ts';
export { readFolder, writeFolder, type ReadFolderOptions } from './disk.ts';
export {
  ArtifactStore,
  openArtifactStore,
  type ArchiveRequest,
  type ArtifactStoreOptions,
  type LayerPart,
  type StoredArchive,
} from './store.ts';
export type { Publisher } from './store-paths.ts';
