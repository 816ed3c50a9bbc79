import { defaultCapabilities, type Capabilities } from '../../helm/index.ts';
import type { Informer, KubeClient } from '../../kube/index.ts';
import { CodedError, errorMessage, milliseconds, type Clock, type Instant } from '../../std/index.ts';

/** What a cluster can do is asked again after this, at the latest. */
const FRESH = milliseconds(60_000);
/** For so long after a definition changed, what the cluster says about its kinds may be older. */
const SETTLING = milliseconds(2000);

type Known = { at: Instant; value: Promise<Capabilities> };

/** What charts see of a cluster: its version and kinds. Asked once a minute, and again when a CustomResourceDefinition changed. */
export class ClusterCapabilities {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  #definitions: Informer | undefined;
  #changed: Instant | undefined;
  #known: Known | undefined;

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** @throws KubeError; CodedError `CapabilitiesFailed` */
  async get(signal: AbortSignal): Promise<Capabilities> {
    this.#watch();
    const now = this.#clock.now();
    const known = this.#known;
    if (known !== undefined && now - known.at < FRESH && !this.#isOutdated(known, now)) return known.value;
    const value = this.#ask(signal);
    this.#known = { at: now, value };
    try {
      return await value;
    } catch (error) {
      this.#known = undefined;
      throw error;
    }
  }

  /** Ends the watch. */
  close(): void {
    this.#definitions?.release();
  }

  #isOutdated({ at }: Known, now: Instant): boolean {
    return this.#changed !== undefined && at - this.#changed < SETTLING && now > at;
  }

  #watch(): void {
    if (this.#definitions !== undefined) return;
    const informer = this.#client.informer(
      { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
      { form: 'metadata' },
    );
    const changed = (): void => {
      if (informer.synced) this.#changed = this.#clock.now();
    };
    informer.subscribe({
      added: changed,
      deleted: changed,
      updated: (object, old) => (object.metadata.generation === old.metadata.generation ? undefined : changed()),
    });
    this.#definitions = informer;
  }

  async #ask(signal: AbortSignal): Promise<Capabilities> {
    const { mapper } = this.#client;
    if (this.#known !== undefined) mapper.invalidate();
    const [resources, version] = await Promise.all([mapper.all(signal), this.#version(signal)]);
    const apiVersions = new Set<string>();
    for (const { group, version: each, kind } of resources) {
      const groupVersion = group === '' ? each : `${group}/${each}`;
      apiVersions.add(groupVersion);
      if (kind !== '') apiVersions.add(`${groupVersion}/${kind}`);
    }
    return { ...defaultCapabilities, kubeVersion: version, apiVersions: [...apiVersions] };
  }

  async #version(signal: AbortSignal): Promise<Capabilities['kubeVersion']> {
    const { text } = await this.#client.raw({ method: 'GET', path: '/version', signal });
    try {
      const { gitVersion, major, minor } = JSON.parse(text) as { gitVersion: string; major: string; minor: string };
      return { version: gitVersion, normalized: '', major, minor };
    } catch (error) {
      const message = `read version of the cluster: ${errorMessage(error)}`;
      throw new CodedError({ code: 'CapabilitiesFailed', message, cause: error });
    }
  }
}
