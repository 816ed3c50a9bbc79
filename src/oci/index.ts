export { annotationKeys, mediaTypes } from './media-types.ts';
export { isRegistryError, RegistryError, type RegistryErrorCode, type RegistryErrorEntry } from './errors.ts';
export type { Reference, Repository } from './reference.ts';
export type { Descriptor, FetchedManifest, ImageIndex, ImageManifest, Manifest, Platform } from './descriptor.ts';
export { anonymous, type Credential, type CredentialSource } from './credentials.ts';
export type {
  Blob,
  MirrorRule,
  ProxyOptions,
  PushBlobOptions,
  RegistryAccess,
  RegistryClient,
  RegistryClients,
  RegistryClientsOptions,
  RegistryLimits,
  RegistryRequestEvent,
  TlsOptions,
} from './client-types.ts';
