import {
  clusterVerificationPolicyKind,
  fieldManagers,
  ociRepositoryKind,
  verificationPolicyKind,
  type Kind,
  type OCIRepository,
} from '../api/index.ts';
import {
  concernsUrl,
  Policies,
  policySecrets,
  toPolicy,
  usualHome,
  VerificationPolicyController,
  verificationPolicyConditions,
  type Policy,
  type PolicyKind,
} from '../controllers/source/index.ts';
import { isKubeError, type Informer } from '../kube/index.ts';
import { changeTrigger, formatKey, ResourceView, type ConfigReader, type ControllerRunner } from '../runtime/index.ts';
import { milliseconds, sleep } from '../std/index.ts';
import { createRunner, reference, writer } from './controller-parts.ts';
import type { ControllersOptions } from './start-controllers.ts';

/** Verification policies at work. */
export type PolicyParts = {
  policies: Policies;
  /** Writes annotations of an OCIRepository. */
  annotate: (metadata: OCIRepository['metadata'], annotations: Readonly<Record<string, string>>) => Promise<void>;
  /** Resolves when it is known which policies there are; a cluster without their kinds has none. Until then nothing may be fetched. */
  known: (signal: AbortSignal) => Promise<void>;
  /** Tells `enqueue` the OCIRepositories that a changed policy concerns. */
  follow: (ociRepositories: ResourceView<OCIRepository>, enqueue: (key: string) => void) => void;
  /** Reconciles what refers to a Secret, `Secret/namespace/name`. */
  configChanged: (config: string) => void;
  start: () => void;
  stop: () => Promise<void>;
};

type PolicyPart = { informer: Informer; view: ResourceView<Policy>; runner: ControllerRunner };

/** Between looks whether the kinds are there, while they are not known to be. */
const LOOK = milliseconds(50);
/** Between looks while discovery lags behind a definition. */
const LAG = milliseconds(1000);
/** Looks between lines that say what is being waited for: every ten seconds. */
const LOOKS_PER_LINE = 200;

/** Watches the verification policies of the cluster and says whether each can be used. */
export function startPolicies(options: ControllersOptions, configs: ConfigReader, view: () => ResourceView<OCIRepository>): PolicyParts {
  const home = options.runtimeNamespace ?? usualHome;
  const changes = new Set<(policy: Policy) => void>();
  let started = false;
  const changed = (policy: Policy): void => {
    // Before, every object is still to be reconciled anyway.
    if (started) for (const tell of changes) tell(policy);
  };
  const parts = [verificationPolicyKind, clusterVerificationPolicyKind].map((kind) => startKind(options, configs, kind, home, changed));
  const views = parts.map((part) => part.view);
  return {
    policies: new Policies({ views, configs, home }),
    annotate: async ({ namespace, name }, annotations) => {
      const target = { ...reference(ociRepositoryKind), namespace, name };
      const body = { metadata: { annotations } };
      view().observe(await options.kube.patch(target, { type: 'merge', body }, { fieldManager: fieldManagers.source }));
    },
    known: async (signal) => {
      await Promise.all(parts.map((part) => waitKnown(options, part, signal)));
    },
    follow: (ociRepositories, enqueue) => {
      changes.add((policy) => {
        for (const { metadata, spec } of ociRepositories.list()) {
          if (concernsUrl(policy, metadata.namespace, spec.url)) enqueue(formatKey(metadata));
        }
      });
    },
    configChanged: (config) => {
      for (const { view: policies, runner } of parts) {
        for (const policy of policies.list()) {
          if (!policySecrets(policy, home).includes(config)) continue;
          runner.enqueue(formatKey(policy.metadata), 'config');
          changed(policy);
        }
      }
    },
    start: () => {
      started = true;
      for (const { runner } of parts) runner.start();
    },
    stop: async () => {
      for (const part of parts) part.view.close();
      await Promise.all(parts.map(({ runner }) => runner.stop()));
    },
  };
}

function startKind(
  options: ControllersOptions,
  configs: ConfigReader,
  kind: Kind,
  home: string,
  changed: (policy: Policy) => void,
): PolicyPart {
  const { kube, namespace, clock, random, intervalJitter } = options;
  // Policies concern the objects of every shard: no label selector.
  const informer = kube.informer(reference(kind), kind.scope === 'Cluster' || namespace === undefined ? {} : { namespace });
  const view = new ResourceView<Policy>(informer, toPolicy);
  const controller = new VerificationPolicyController({
    kind: kind.kind === 'ClusterVerificationPolicy' ? kind.kind : ('VerificationPolicy' satisfies PolicyKind),
    view,
    writer: writer(options, kind, fieldManagers.source, verificationPolicyConditions, view),
    configs,
    home,
    clock,
    random,
    intervalJitter,
    changed,
  });
  const runner = createRunner(options, controller);
  view.subscribe({
    changed: (policy, previous) => {
      const trigger = changeTrigger(policy.metadata, previous?.metadata, policy.status.observedGeneration);
      if (trigger === undefined) return;
      runner.enqueue(formatKey(policy.metadata), trigger);
      // What it concerned until now is looked at again too.
      if (previous !== undefined) changed(previous);
      changed(policy);
    },
    deleted: (policy) => {
      options.metrics.forget({ kind: kind.kind, namespace: policy.metadata.namespace, name: policy.metadata.name });
      runner.enqueue(formatKey(policy.metadata), 'changed');
      changed(policy);
    },
  });
  return { informer, view, runner };
}

/** Waits until the policies of a kind are listed, or its CRD is known not to be there. */
async function waitKnown({ kube, clock, log }: ControllersOptions, { informer }: PolicyPart, signal: AbortSignal): Promise<void> {
  const { kind } = informer.kind;
  for (let looks = 1; !informer.synced; looks++) {
    const { lastError } = informer;
    if (isKubeError(lastError, 'NoMatch')) {
      if (await isUndefined(kube, informer)) {
        log.info('no verification policies: their kind is not installed', { policyKind: kind });
        return;
      }
      await sleep(clock, LAG, signal);
    }
    if (looks % LOOKS_PER_LINE === 0)
      log.error('nothing is fetched until verification policies can be listed', lastError, { policyKind: kind });
    await sleep(clock, LOOK, signal);
  }
}

/** Asks for the definition itself: discovery may lag behind, and must not be taken for the absence of policies. */
async function isUndefined(kube: ControllersOptions['kube'], { kind }: Informer): Promise<boolean> {
  const { group, plural } = kind.kind === clusterVerificationPolicyKind.kind ? clusterVerificationPolicyKind : verificationPolicyKind;
  const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `${plural}.${group}` };
  try {
    return (await kube.find(definition)) === undefined;
  } catch (error) {
    // An installation that may not read definitions was made without policies in mind.
    return isKubeError(error, 'Forbidden');
  }
}
