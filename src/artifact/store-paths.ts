import { artifactError } from './errors.ts';

/** Which object publishes: its kind in lower case, namespace and name; the folder of its archives (OB23). */
export type Publisher = { kind: string; namespace: string; name: string };

const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** The folder of a publisher below the store's root. @throws ArtifactError `PathRefused` */
export function publisherFolder({ kind, namespace, name }: Publisher): string {
  for (const part of [kind, namespace, name]) {
    if (!NAME.test(part) || part.includes('..'))
      throw artifactError('PathRefused', `store artifact of ${JSON.stringify(`${kind}/${namespace}/${name}`)}: not a Kubernetes name`, {
        subject: part,
      });
  }
  return `${kind}/${namespace}/${name}`;
}

/** A path below the root as `status.artifact.path` has it; undefined when it could lead elsewhere. */
export function cleanPath(path: string): string | undefined {
  if (path.length > 2048 || path.includes('\0') || path.includes('\\')) return undefined;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.length === 0 || parts.includes('..') ? undefined : parts.join('/');
}

/** For a rejected file operation: undefined when the file is simply not there. */
export function ifMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
  throw error;
}
