export {
  formatObjectRef,
  objectRef,
  objectRefKey,
  parseApiVersion,
  type KubeObject,
  type ManagedFieldsEntry,
  type ObjectMeta,
  type ObjectRef,
  type OwnerReference,
} from './object.ts';
export { joinTreePath, memoryTree, walkTree, type Entry, type FileTree } from './file-tree.ts';
export {
  readObjects,
  splitDocuments,
  writeObjects,
  type ManifestDocument,
  type ManifestErrorCode,
  type ReadObjectsOptions,
} from './documents.ts';
