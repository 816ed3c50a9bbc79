import { KustomizeError, wrapError } from '../errors.ts';
import { FieldSpecs, MAX_REMEMBERED_KINDS, type FieldSpec } from '../field-spec.ts';
import { effectiveNamespace, formatId, isSelected, type Gvk, type ResId } from '../gvk.ts';
import { objectText, wrongKind } from '../plain.ts';
import { byNamespace, type ResourceList } from '../resource-list.ts';
import type { Resource } from '../resource.ts';
import type { NameBackReference } from '../transformer-config.ts';
import {
  assignScalar,
  field,
  isMapping,
  isMissing,
  isScalar,
  setField,
  textOf,
  withText,
  type Mapping,
  type Sequence,
  type Value,
} from '../value.ts';

/**
 * Changes the fields that hold names of resources whose names (or namespaces) have changed. A reference means the resource that had its
 * name before, is of the right kind, can be reached from the referrer's namespace, and has the same prefixes and suffixes behind it.
 * Throws ReferenceAmbiguous when that leaves several.
 */
export function fixNameReferences(list: ResourceList, references: readonly NameBackReference[]): void {
  const candidates = new Candidates(list);
  const plan = planOf(references);
  for (const referrer of list.items) {
    const steps = plan.stepsFor(referrer.originalId);
    if (steps.length === 0) continue;
    const fixer = new Fixer(referrer, candidates);
    for (const { target, spec, specs } of steps) fixer.fix(target, spec, specs);
  }
}

type Step = { readonly target: Gvk; readonly spec: FieldSpec; readonly specs: FieldSpecs };

const plans = new WeakMap<readonly NameBackReference[], ReferencePlan>();

/** Most builds use the same (unchanging) references: the defaults. */
function planOf(references: readonly NameBackReference[]): ReferencePlan {
  let plan = plans.get(references);
  if (plan === undefined) {
    plan = new ReferencePlan(references);
    plans.set(references, plan);
  }
  return plan;
}

/** The references a resource of some kind may hold. */
class ReferencePlan {
  readonly #all: readonly Step[];
  readonly #byKind = new Map<string, readonly Step[]>();

  constructor(references: readonly NameBackReference[]) {
    this.#all = references.flatMap(({ group, version, kind, referrers }) =>
      referrers.map((spec) => ({
        target: { group, version, kind },
        spec,
        // Which kinds have the field is decided by the id the referrer was loaded with, not by what it is now.
        specs: new FieldSpecs([{ ...spec, group: '', version: '', kind: '' }]),
      })),
    );
  }

  stepsFor(id: ResId): readonly Step[] {
    const key = `${id.kind}|${id.group}|${id.version}`;
    let steps = this.#byKind.get(key);
    if (steps === undefined) {
      steps = this.#all.filter(({ spec }) => isSelected(id, spec));
      if (this.#byKind.size >= MAX_REMEMBERED_KINDS) this.#byKind.clear();
      this.#byKind.set(key, steps);
    }
    return steps;
  }
}

/** The resources that once had one name. */
class Namesakes {
  readonly all: Resource[] = [];
  readonly #clusterScoped: Resource[] = [];
  readonly #byNamespace = new Map<string, Resource[]>();

  add(resource: Resource): void {
    this.all.push(resource);
    const { id } = resource;
    if (id.clusterScoped) this.#clusterScoped.push(resource);
    else append(this.#byNamespace, effectiveNamespace(id), resource);
  }

  /** At least those that a resource of a namespace can reach. */
  near(namespace: string): readonly Resource[] {
    const inside = this.#byNamespace.get(namespace) ?? [];
    if (this.#clusterScoped.length === 0) return inside;
    return inside.length === 0 ? this.#clusterScoped : this.all;
  }
}

function append(groups: Map<string, Resource[]>, key: string, resource: Resource): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [resource]);
  else group.push(resource);
}

/** The resources that have had another identity, by the names they had. Nothing else can be referred to by a name that must change. */
class Candidates {
  readonly #list: ResourceList;
  #byName: Map<string, Namesakes> | undefined;
  #byOriginal: Map<string, ReadonlySet<Resource>> | undefined;
  #byCurrent: Map<string, ReadonlySet<Resource>> | undefined;

  constructor(list: ResourceList) {
    this.#list = list;
  }

  named(name: string): Namesakes | undefined {
    this.#byName ??= byFormerName(this.#list.items);
    return this.#byName.get(name);
  }

  /** To be called when a resource has moved to another namespace. */
  forget(): void {
    this.#byName = undefined;
    this.#byCurrent = undefined;
  }

  /** The resources that were loaded in a namespace; if there are none, those that are in it now. */
  inNamespace(namespace: string, reachable: (resource: Resource) => boolean): (resource: Resource) => boolean {
    this.#byOriginal ??= asSets(byNamespace(this.#list.items, (resource) => resource.originalId));
    const original = this.#byOriginal.get(namespace);
    if (original !== undefined && [...original].some(reachable)) return (resource) => original.has(resource);
    this.#byCurrent ??= asSets(byNamespace(this.#list.items, (resource) => resource.id));
    const current = this.#byCurrent.get(namespace);
    return (resource) => current?.has(resource) === true;
  }
}

function byFormerName(resources: readonly Resource[]): Map<string, Namesakes> {
  const result = new Map<string, Namesakes>();
  for (const resource of resources) {
    for (const name of new Set(resource.state.previous.map((id) => id.name))) {
      let group = result.get(name);
      if (group === undefined) result.set(name, (group = new Namesakes()));
      group.add(resource);
    }
  }
  return result;
}

function asSets(groups: Map<string, Resource[]>): Map<string, ReadonlySet<Resource>> {
  return new Map([...groups].map(([key, group]) => [key, new Set(group)]));
}

/** Fixes the references one resource holds. */
class Fixer {
  readonly #referrer: Resource;
  readonly #candidates: Candidates;
  #roleBindingNamespaces: ReadonlySet<string> | undefined;

  constructor(referrer: Resource, candidates: Candidates) {
    this.#referrer = referrer;
    this.#candidates = candidates;
    if (!referrer.id.clusterScoped && referrer.kind === 'RoleBinding') this.#roleBindingNamespaces = subjectNamespaces(referrer);
  }

  fix(target: Gvk, spec: FieldSpec, specs: FieldSpecs): void {
    try {
      specs.visit(this.#referrer.object, this.#referrer.id, undefined, (value, holder, key) =>
        this.#fixValue(value, holder, key, target, spec),
      );
    } catch (error) {
      throw wrapError(error, `updating name reference in '${spec.path}' field of '${formatId(this.#referrer.id)}'`);
    }
  }

  #fixValue(value: Value, holder: Mapping | Sequence, key: string | number, target: Gvk, spec: FieldSpec): void {
    if (isMissing(value)) return;
    if (isScalar(value)) return this.#fixScalar(textOf(value), holder, key, target, spec);
    if (isMapping(value)) return this.#fixMapping(value, target, spec);
    value.forEach((item, i) => {
      if (isMissing(item)) return;
      if (isScalar(item)) this.#fixScalar(textOf(item), value, i, target, spec);
      else if (isMapping(item)) this.#fixMapping(item, target, spec);
      else throw new KustomizeError('TransformFailed', 'a list is expected to be either a string or a map of string');
    });
  }

  #fixScalar(name: string, holder: Mapping | Sequence, key: string | number, target: Gvk, spec: FieldSpec): void {
    const found = this.#select(name, target, spec, undefined, false);
    if (found === undefined || found.name === name) return;
    const old = Array.isArray(holder) ? holder[Number(key)] : field(holder, String(key));
    assignScalar(holder, key, withText(old, found.name));
    if (spec.path === 'metadata/namespace') this.#candidates.forget();
  }

  #fixMapping(reference: Mapping, target: Gvk, spec: FieldSpec): void {
    const nameValue = field(reference, 'name');
    if (nameValue === undefined) throw new KustomizeError('TransformFailed', "path config error; no 'name' field in node");
    const namespaceValue = field(reference, 'namespace');
    const name = textOf(nameValue);
    const namespace = namespaceValue === undefined ? undefined : textOf(namespaceValue);
    const found = this.#select(name, target, spec, namespace, true);
    if (found === undefined || (found.name === name && found.namespace === '')) return;
    assignText(reference, 'name', found.name);
    if (found.namespace !== '') assignText(reference, 'namespace', found.namespace);
  }

  /** The resource a reference means; `identical` ones count as one. */
  #select(name: string, target: Gvk, spec: FieldSpec, namespace: string | undefined, withNamespace: boolean): Resource | undefined {
    const named = this.#candidates.named(name);
    if (named === undefined) return undefined;
    const { id } = this.#referrer;
    const near = id.clusterScoped || this.#roleBindingNamespaces !== undefined ? named.all : named.near(effectiveNamespace(id));
    if (near.length === 0) return undefined;
    const inNamespace = namespace === undefined ? undefined : this.#candidates.inNamespace(namespace, (each) => this.#isReachable(each));
    const role = this.#roleRef(spec);
    let found = near.filter(
      (each) =>
        this.#isReachable(each) &&
        (inNamespace === undefined || inNamespace(each)) &&
        each.previousIds.some((previous) => isSelected(previous, target)) &&
        (role === undefined || each.previousIds.some((previous) => isSelected(previous, role))) &&
        this.#sharesNamespace(each),
    );
    if (found.length === 1) return found[0];
    found = found.filter((each) => sameLineage(each, this.#referrer, true));
    if (found.length > 1) found = found.filter((each) => sameLineage(each, this.#referrer, false));
    const [first] = found;
    if (first === undefined || found.length === 1) return first;
    const identical = found.every((each) => each.name === first.name && (!withNamespace || each.namespace === first.namespace));
    if (!identical) throw this.#ambiguous(found);
    return first;
  }

  /** True unless the candidate is in a namespace that is neither the referrer's nor one of its subjects'. */
  #isReachable(candidate: Resource): boolean {
    const { id } = this.#referrer;
    if (id.clusterScoped || candidate.id.clusterScoped) return true;
    if (effectiveNamespace(candidate.id) === effectiveNamespace(id)) return true;
    return this.#roleBindingNamespaces?.has(candidate.namespace) === true;
  }

  #sharesNamespace(candidate: Resource): boolean {
    const { id } = this.#referrer;
    if (id.clusterScoped || candidate.id.clusterScoped || candidate.kind === 'ServiceAccount') return true;
    return effectiveNamespace(candidate.id) === effectiveNamespace(id);
  }

  #roleRef(spec: FieldSpec): Gvk | undefined {
    if (!spec.path.endsWith('roleRef/name')) return undefined;
    const roleRef = this.#referrer.object['roleRef'];
    if (!isMapping(roleRef)) return undefined;
    const group = field(roleRef, 'apiGroup');
    const kind = field(roleRef, 'kind');
    return group === undefined || kind === undefined ? undefined : { group: textOf(group), version: '', kind: textOf(kind) };
  }

  #ambiguous(found: readonly Resource[]): KustomizeError {
    const ids = found.map((each) => formatId(each.id)).join(', ');
    const texts = found.map((each, i) => `--- possible referral ${i}:\n${objectText(each.describe())}\n`).join('');
    const details = `\n**** Too many possible referral targets to referrer:\n${objectText(this.#referrer.describe())}\n${texts}`;
    return new KustomizeError('ReferenceAmbiguous', `found multiple possible referrals: ${ids}\n${details}`, {
      subject: formatId(this.#referrer.id),
      remedy: 'give the resources different names or namespaces',
    });
  }
}

function assignText(mapping: Mapping, key: string, text: string): void {
  const old = field(mapping, key);
  if (old === undefined) setField(mapping, key, text);
  else if (isScalar(old)) assignScalar(mapping, key, withText(old, text));
  else throw wrongKind('ScalarNode', old);
}

/** The namespaces of the ServiceAccounts a RoleBinding binds. */
function subjectNamespaces(binding: Resource): ReadonlySet<string> {
  const result = new Set<string>();
  const subjects = binding.object['subjects'];
  if (!Array.isArray(subjects)) return result;
  for (const subject of subjects) {
    if (!isMapping(subject)) continue;
    const namespace = field(subject, 'namespace');
    if (namespace === undefined || textOf(field(subject, 'kind')) !== 'ServiceAccount') continue;
    if (!isScalar(namespace) || isMissing(namespace)) {
      throw new KustomizeError('TransformFailed', `Invalid Input: namespace is blank for resource "${formatId(binding.id)}"\n`);
    }
    result.add(textOf(namespace));
  }
  return result;
}

/** True when the shorter of two lists of prefixes (suffixes) is the end of the longer; `lenient`: an empty list fits any. */
function sameLineage(a: Resource, b: Resource, lenient: boolean): boolean {
  return sameEnd(a.state.prefixes, b.state.prefixes, lenient) && sameEnd(a.state.suffixes, b.state.suffixes, lenient);
}

function sameEnd(a: readonly string[], b: readonly string[], lenient: boolean): boolean {
  if (a.length === 0 || b.length === 0) return lenient || a.length === b.length;
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  return short.every((each, i) => each === long[i + long.length - short.length]);
}
