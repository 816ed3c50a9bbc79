export { annotationKeys, mediaTypes } from './media-types.ts';
export { isRegistryError, RegistryError, type RegistryErrorCode, type RegistryErrorEntry } from './errors.ts';
export {
  digested,
  formatReference,
  formatRepository,
  isTag,
  parseReference,
  parseRepository,
  tagged,
  type Reference,
  type Repository,
} from './reference.ts';
export type { Descriptor, FetchedManifest, ImageChoice, ImageIndex, ImageManifest, Manifest, Platform } from './descriptor.ts';
export { descriptorJson, linuxAmd64, parseManifest, parsePlatform, selectImage } from './manifest.ts';
export { anonymous, keychain, parseCredentials, staticCredentials, type Credential, type CredentialSource } from './credentials.ts';
export {
  dockerCliCredentials,
  dockerConfigCredentials,
  parseDockerConfig,
  type CredentialHelper,
  type DockerAuth,
  type DockerConfig,
} from './docker-config.ts';
export { createRegistryClient, createRegistryClients } from './client.ts';
export { parseMirror, parseMirrorRule } from './mirror.ts';
export type {
  Blob,
  Mirror,
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
export type { Action, RegistryAuth } from './registry/access.ts';
export { FaultPlan, type Fault, type FaultSubject } from './registry/faults.ts';
export { folderStore } from './registry/folder-store.ts';
export { registryHandler, type RegistryHandler, type RegistryOptions } from './registry/handler.ts';
export { startRegistry, type ListenOptions, type RunningRegistry } from './registry/server.ts';
export { memoryStore, type RegistryStore } from './registry/store.ts';
export { layoutBlobPath, layoutTag, pullLayout, pushLayout, readLayout, readLayoutManifest, type ImageLayout } from './layout.ts';
export { artifactManifest, pushArtifact, type ArtifactContent } from './flux-artifact.ts';
export { dockerConfigPaths, helperProgram, userCredentials, type DockerEnvironment } from './docker-files.ts';
export { createCloudLogins, isProviderRegistry, type CloudLoginOptions, type CloudLogins } from './login/cloud-logins.ts';
export type { CloudProvider, LoginAccount, LoginHost } from './login/login-host.ts';
export type { TokenCacheOptions } from './login/token-cache.ts';
