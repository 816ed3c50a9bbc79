import { watchLabel } from '../api/index.ts';
import type { KubeClient } from '../kube/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import { CodedError, type Clock } from '../std/index.ts';

/** The default of --watch-configs-label-selector (C13). */
export const watchLabelSelector: string = `${watchLabel}=Enabled`;

/** Kinds of the core group that specs refer to for configuration. */
export type ConfigKind = 'Secret' | 'ConfigMap' | 'ServiceAccount';

/** The content of a Secret or ConfigMap: bytes by key. */
export type ConfigData = { type: string; resourceVersion: string; data: Readonly<Record<string, Uint8Array>> };

/** How long an answer is good for those who ask next: enough for a thousand objects that share a Secret, too short to be stale. */
const SHARE_MILLISECONDS = 2000;
const ENTRIES = 5000;

/** Reads the Secrets, ConfigMaps and ServiceAccounts specs refer to; those who ask for the same at the same time share one request. */
export class ConfigReader {
  readonly #kube: KubeClient;
  readonly #clock: Clock;
  readonly #entries = new Map<string, { at: number; object: Promise<KubeObject | undefined> }>();

  constructor(kube: KubeClient, clock: Clock) {
    this.#kube = kube;
    this.#clock = clock;
  }

  /** The object; undefined when there is none. @throws KubeError */
  async find(kind: ConfigKind, namespace: string, name: string): Promise<KubeObject | undefined> {
    const key = `${kind}/${namespace}/${name}`;
    const now = this.#clock.now();
    const known = this.#entries.get(key);
    if (known !== undefined && now - known.at < SHARE_MILLISECONDS) return known.object;
    const object = this.#kube.find({ apiVersion: 'v1', kind, namespace, name });
    this.#entries.delete(key);
    this.#entries.set(key, { at: now, object });
    if (this.#entries.size > ENTRIES) this.#entries.delete(this.#entries.keys().next().value ?? '');
    try {
      return await object;
    } catch (error) {
      this.#entries.delete(key);
      throw error;
    }
  }

  /** Forgets what is known of an object, because it changed. */
  forget(kind: ConfigKind, namespace: string, name: string): void {
    this.#entries.delete(`${kind}/${namespace}/${name}`);
  }

  /** The data of a Secret or ConfigMap. @throws CodedError `ConfigNotFound` when there is none; KubeError */
  async data(kind: 'Secret' | 'ConfigMap', namespace: string, name: string): Promise<ConfigData> {
    const object = await this.find(kind, namespace, name);
    if (object === undefined) {
      throw new CodedError({
        code: 'ConfigNotFound',
        message: `get ${kind} "${namespace}/${name}": not found`,
        subject: `${kind}/${namespace}/${name}`,
        remedy: `create the ${kind} "${name}" in namespace "${namespace}"`,
      });
    }
    return configData(object);
  }
}

/** The data of a Secret (base64 decoded) or ConfigMap (`data` and `binaryData`). */
export function configData(object: KubeObject): ConfigData {
  const data: Record<string, Uint8Array> = {};
  const plain = object.kind === 'ConfigMap';
  for (const [key, value] of Object.entries((object['data'] ?? {}) as Record<string, string>)) {
    data[key] = Buffer.from(value, plain ? 'utf8' : 'base64');
  }
  for (const [key, value] of Object.entries((object['binaryData'] ?? {}) as Record<string, string>))
    data[key] = Buffer.from(value, 'base64');
  const type = typeof object['type'] === 'string' ? object['type'] : '';
  return { type, resourceVersion: object.metadata.resourceVersion ?? '', data };
}
