import {
  clusterVerificationPolicyKind,
  groups,
  kindApiVersion,
  kustomizationKind,
  ociRepositoryKind,
  verificationPolicyKind,
} from '../api/index.ts';
import { formatObjectRef, type KubeObject, objectRef } from '../manifest/index.ts';
import type { Reference } from '../oci/index.ts';
import { usage } from './artifact-registry.ts';
import { isRecord, keyOf, textAt, valueAt } from './preview-objects.ts';

/** What a preview is asked for. */
export type PlanRequest = {
  snapshot: readonly KubeObject[];
  /** The objects of `--kustomization`; they win over those of the snapshot. */
  given: readonly KubeObject[];
  /** `[NAMESPACE/]NAME` of the OCIRepository the target stands in for. */
  source: string | undefined;
  /** The repository the target is or was pushed to, when it is an artifact. */
  repository: string | undefined;
  /** Folder to build instead of the one the Kustomization names. */
  path: string | undefined;
  targetNamespace: string | undefined;
  /** Duration, as in `spec.timeout`. */
  timeout: string;
  /** `host:port` of the registry in this process. */
  registry: string;
};

/** What a preview does. */
export type Plan = {
  /** The objects the cluster starts with; Flux objects that do not take part are suspended. */
  objects: KubeObject[];
  /** Where the target goes in the registry of this process. */
  push: Reference;
  /** The registry whose requests the registry of this process answers first; undefined when it is that itself. */
  mirrored: string | undefined;
  /** The source as it is, when it or a policy asks for signatures. */
  signed: Signed | undefined;
  /** What was changed so that the objects work here, for people. */
  notes: string[];
};

/** A source with the verification policies of its cluster. */
export type Signed = { source: KubeObject; policies: readonly KubeObject[] };

/** Namespace and name of the Flux objects of a preview that was given none. */
const NAMESPACE = 'flux-system';
const NAME = 'preview';
/** What needs the world outside: logins, certificates; and signatures, which are verified before. */
const OUTSIDE = ['provider', 'secretRef', 'certSecretRef', 'proxySecretRef', 'serviceAccountName', 'verify', 'suspend'];

/** Decides which Flux objects run and where the target must lie for them. @throws CodedError `UsageInvalid` */
export function planPreview(request: PlanRequest): Plan {
  const notes: string[] = [];
  const objects = new Map(request.snapshot.map((object) => [keyOf(object), object]));
  for (const object of request.given.map(placed)) objects.set(keyOf(object), withInventoryOf(object, objects.get(keyOf(object))));
  // Signatures are beside the artifact, not where the target goes: policies are judged before, and not again by the controllers.
  const policies = [...objects.values()].filter(isPolicy);
  const all = [...objects.values()].filter((object) => !isPolicy(object));
  const repositories = all.filter((object) => object.kind === 'OCIRepository' && isGroup(object, groups.source));
  const kustomizations = all.filter((object) => object.kind === 'Kustomization' && isGroup(object, groups.kustomize));
  const source = chosenSource(request, repositories, kustomizations);
  if (source === undefined) {
    if (kustomizations.length > 0) throw noSource(request);
    return { objects: [...all, ...defaults(request)], push: localReference(request), mirrored: undefined, signed: undefined, notes };
  }
  const existing = repositories.find((object) => nameOf(object) === source);
  const repository = existing === undefined ? defaultRepository(request, source) : offline(existing);
  const running = new Set(kustomizations.filter((object) => sourceOf(object) === source).map(nameOf));
  const rest = all.filter((object) => object !== existing);
  const result = rest.map((object) => {
    if (object.kind === 'OCIRepository' && isGroup(object, groups.source)) return suspended(object);
    if (object.kind !== 'Kustomization' || !isGroup(object, groups.kustomize)) return object;
    return running.has(nameOf(object)) ? started(object, running, request, notes) : suspended(object);
  });
  const isSigned = existing !== undefined && (policies.length > 0 || valueAt(existing, 'spec', 'verify') !== undefined);
  const signed = isSigned ? { source: existing, policies } : undefined;
  return { objects: [...result, repository], ...placeOf(repository, request), signed, notes };
}

function isPolicy(object: KubeObject): boolean {
  return (
    isGroup(object, verificationPolicyKind.group) &&
    (object.kind === verificationPolicyKind.kind || object.kind === clusterVerificationPolicyKind.kind)
  );
}

function isGroup(object: KubeObject, group: string): boolean {
  return object.apiVersion.startsWith(`${group}/`);
}

function nameOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/** The OCIRepository a Kustomization builds from; empty for other sources. */
function sourceOf(object: KubeObject): string {
  const [kind, name, namespace] = ['kind', 'name', 'namespace'].map((field) => textAt(object, 'spec', 'sourceRef', field));
  return kind === 'OCIRepository' ? `${namespace === '' ? (object.metadata.namespace ?? '') : namespace}/${name}` : '';
}

function chosenSource(
  request: PlanRequest,
  repositories: readonly KubeObject[],
  kustomizations: readonly KubeObject[],
): string | undefined {
  const given = new Set(
    request.given
      .filter((object) => object.kind === 'Kustomization')
      .map(placed)
      .map(sourceOf),
  );
  const candidates = [...(given.size > 0 ? given : new Set(kustomizations.map(sourceOf)))].filter((it) => it !== '').sort();
  if (request.source !== undefined) {
    const wanted = request.source.includes('/') ? request.source : undefined;
    const found = candidates.filter((it) => it === wanted || it.endsWith(`/${request.source}`));
    if (found.length === 1) return found[0];
    throw usage(
      `--source ${JSON.stringify(request.source)}: ${found.length} OCIRepositories with Kustomizations match`,
      listed(candidates),
    );
  }
  if (candidates.length <= 1) return candidates[0];
  const urls = new Map(repositories.map((object) => [nameOf(object), textAt(object, 'spec', 'url').replace(/^oci:\/\//, '')]));
  const same = candidates.filter((it) => request.repository !== undefined && urls.get(it) === request.repository);
  if (same.length === 1) return same[0];
  throw usage('preview: the snapshot has several sources, and any could be meant', listed(candidates));
}

function listed(candidates: readonly string[]): string {
  const shown = candidates.slice(0, 20).join(', ');
  return candidates.length === 0 ? 'leave --source out' : `name one with --source: ${shown}${candidates.length > 20 ? ', …' : ''}`;
}

function noSource(request: PlanRequest): Error {
  const [first] = request.given;
  return usage(
    `preview: no Kustomization ${first === undefined ? 'of the snapshot' : `of ${formatObjectRef(objectRef(first))}`} builds from an OCIRepository`,
    'give one whose spec.sourceRef does, with --kustomization FILE',
  );
}

function placeOf(repository: KubeObject, request: PlanRequest): { push: Reference; mirrored: string | undefined } {
  const [, host = '', path = ''] = /^oci:\/\/([^/]+)\/(.+)$/.exec(textAt(repository, 'spec', 'url')) ?? [];
  const tag = textAt(repository, 'spec', 'ref', 'tag');
  if (host === '' || path === '') throw usage(`preview: spec.url of ${formatObjectRef(objectRef(repository))} is not oci://host/name`);
  const push = { registry: request.registry, path, tag: tag === '' ? 'latest' : tag };
  return { push, mirrored: host === request.registry ? undefined : host };
}

/** The source without what works only against its own registry: nobody asks it while the target stands in. */
function offline(repository: KubeObject): KubeObject {
  const spec = isRecord(repository['spec']) ? repository['spec'] : {};
  const ref = isRecord(spec['ref']) ? spec['ref'] : {};
  const floating = ref['semver'] !== undefined || ref['digest'] !== undefined;
  const rest = Object.fromEntries(Object.entries(spec).filter(([field]) => !OUTSIDE.includes(field) && field !== 'layerSelector'));
  return { ...repository, spec: { ...rest, insecure: true, ...(floating ? { ref: { tag: 'latest' } } : {}) } };
}

function started(object: KubeObject, running: ReadonlySet<string>, request: PlanRequest, notes: string[]): KubeObject {
  const spec = isRecord(object['spec']) ? object['spec'] : {};
  const { suspend: _, dependsOn, ...rest } = spec;
  const own = Array.isArray(dependsOn) ? dependsOn.filter((it) => running.has(dependency(it, object))) : [];
  if (Array.isArray(dependsOn) && own.length < dependsOn.length)
    notes.push(`${formatObjectRef(objectRef(object))}: dependencies on other sources count as ready`);
  return {
    ...object,
    spec: {
      ...rest,
      ...(own.length === 0 ? {} : { dependsOn: own }),
      ...(request.path !== undefined && running.size === 1 ? { path: request.path } : {}),
      ...(request.targetNamespace === undefined ? {} : { targetNamespace: request.targetNamespace }),
    },
  };
}

function dependency(reference: unknown, of: KubeObject): string {
  const namespace = textAt(reference, 'namespace');
  return `${namespace === '' ? (of.metadata.namespace ?? '') : namespace}/${textAt(reference, 'name')}`;
}

function suspended(object: KubeObject): KubeObject {
  return { ...object, spec: { ...(isRecord(object['spec']) ? object['spec'] : {}), suspend: true } };
}

/** The Kustomization of a file keeps the inventory the snapshot knows of it: what it no longer applies would be pruned. */
function withInventoryOf(object: KubeObject, old: KubeObject | undefined): KubeObject {
  const inventory = valueAt(old, 'status', 'inventory');
  const { status: _, ...fields } = object;
  return inventory === undefined ? fields : { ...fields, status: { inventory } };
}

function placed(object: KubeObject): KubeObject {
  return object.metadata.namespace === undefined ? { ...object, metadata: { ...object.metadata, namespace: NAMESPACE } } : object;
}

function localReference(request: PlanRequest): Reference {
  return { registry: request.registry, path: NAME, tag: 'latest' };
}

function defaultRepository(request: PlanRequest, source: string): KubeObject {
  const [namespace = NAMESPACE, name = NAME] = source.split('/');
  return {
    apiVersion: kindApiVersion(ociRepositoryKind),
    kind: 'OCIRepository',
    metadata: { name, namespace },
    spec: { interval: '10m', url: `oci://${request.registry}/${NAME}`, ref: { tag: 'latest' }, insecure: true },
  };
}

function defaults(request: PlanRequest): KubeObject[] {
  return [
    defaultRepository(request, `${NAMESPACE}/${NAME}`),
    {
      apiVersion: kindApiVersion(kustomizationKind),
      kind: 'Kustomization',
      metadata: { name: NAME, namespace: NAMESPACE },
      spec: {
        interval: '10m',
        timeout: request.timeout,
        sourceRef: { kind: 'OCIRepository', name: NAME },
        path: request.path ?? './',
        prune: true,
        wait: true,
        ...(request.targetNamespace === undefined ? {} : { targetNamespace: request.targetNamespace }),
      },
    },
  ];
}

/** The namespaces the Flux objects and the target's need when there is no snapshot to bring them. */
export function neededNamespaces(plan: Plan, targetNamespace: string | undefined): string[] {
  const own = plan.objects
    .filter((object) => object.kind === 'OCIRepository' || object.kind === 'Kustomization')
    .map((object) => object.metadata.namespace ?? NAMESPACE);
  return [...new Set([...own, ...(targetNamespace === undefined ? [] : [targetNamespace])])];
}
