import { encodeJson } from '../../golang/index.ts';
import { KustomizeError, restate, wrapError } from '../errors.ts';
import { fieldSpecs, type FieldSpec } from '../field-spec.ts';
import { idKey } from '../gvk.ts';
import { toPlainObject, wrongKind } from '../plain.ts';
import type { ResourceList } from '../resource-list.ts';
import type { Resource } from '../resource.ts';
import {
  assignScalar,
  field,
  isMapping,
  isMissing,
  isScalar,
  setField,
  textOf,
  type Mapping,
  type Sequence,
  type Value,
} from '../value.ts';

/** Which subjects of role bindings get the namespace. */
export type SubjectMode = 'defaultOnly' | 'allServiceAccounts' | 'none';

export type NamespaceOptions = {
  readonly namespace: string;
  readonly specs: readonly FieldSpec[];
  /** Only fields that are empty are set. */
  readonly unsetOnly?: boolean;
  readonly subjects?: SubjectMode;
};

const META_NAMESPACE: readonly FieldSpec[] = [{ group: '', version: '', kind: '', path: 'metadata/namespace', create: true }];

/** Moves every resource into a namespace. Throws when two would become one. */
export function setNamespace(list: ResourceList, options: NamespaceOptions): void {
  if (options.namespace === '') return;
  const counts = new Map<string, number>();
  const count = (resource: Resource, by: number): number => {
    const key = idKey(resource.id);
    const sum = (counts.get(key) ?? 0) + by;
    counts.set(key, sum);
    return sum;
  };
  for (const resource of list.items) count(resource, 1);
  for (const resource of list.items) {
    if (resource.state.helmGenerated) continue;
    count(resource, -1);
    resource.storePreviousId();
    applyNamespace(resource, options);
    if (count(resource, 1) !== 1) throw conflict(list, resource);
  }
  list.invalidate();
}

function conflict(list: ResourceList, resource: Resource): KustomizeError {
  const key = idKey(resource.id);
  const same = list.items.filter((each) => idKey(each.id) === key).map((each) => encodeJson(toPlainObject(each.describe())));
  return new KustomizeError('ResourceConflict', `namespace transformation produces ID conflict: [${same.join(' ')}]`, {
    subject: resource.name,
  });
}

/** Sets the namespace of one resource, and in the fields that repeat it. */
export function applyNamespace(resource: Resource, options: NamespaceOptions): void {
  const { object, id } = resource;
  const set = setter(options);
  if (!id.clusterScoped) fieldSpecs(META_NAMESPACE).visit(object, id, 'scalar', set);
  const bindsRoles = id.kind === 'RoleBinding' || id.kind === 'ClusterRoleBinding';
  if (bindsRoles) setSubjects(object, options, set);
  try {
    specsFor(options.specs, resource.apiVersion === 'v1', bindsRoles).visit(object, id, 'scalar', set);
  } catch (error) {
    const wrong = error instanceof KustomizeError && error.message.includes('wrong node kind: expected ScalarNode');
    throw wrapError(error, wrong ? 'namespace field specs must target scalar nodes' : 'namespace transformation failed');
  }
}

type Variant = ReturnType<typeof fieldSpecs>;
const variants = new WeakMap<readonly FieldSpec[], Map<number, Variant>>();

/** The specs without those that are handled apart: the own namespace, names of objects that are no core Namespaces, subjects. */
function specsFor(specs: readonly FieldSpec[], isCore: boolean, bindsRoles: boolean): Variant {
  const key = (isCore ? 1 : 0) + (bindsRoles ? 2 : 0);
  let ofSpecs = variants.get(specs);
  if (ofSpecs === undefined) {
    ofSpecs = new Map();
    variants.set(specs, ofSpecs);
  }
  let variant = ofSpecs.get(key);
  if (variant === undefined) {
    const kept = specs.filter(
      ({ path, kind }) =>
        path !== 'metadata/namespace' &&
        (isCore || path !== 'metadata/name') &&
        !(bindsRoles && (kind === 'RoleBinding' || kind === 'ClusterRoleBinding') && path === 'subjects/namespace'),
    );
    variant = fieldSpecs(kept);
    ofSpecs.set(key, variant);
  }
  return variant;
}

type Setter = (value: Value, holder: Mapping | Sequence, key: string | number) => void;

function setter({ namespace, unsetOnly }: NamespaceOptions): Setter {
  return (value, holder, key) => {
    if (unsetOnly === true && textOf(value) !== '' && !isMissing(value)) return;
    if (!isScalar(value)) throw wrongKind('ScalarNode', value);
    assignScalar(holder, key, namespace);
  };
}

function setSubjects(object: Mapping, { subjects = 'defaultOnly' }: NamespaceOptions, set: Setter): void {
  const list = field(object, 'subjects');
  if (subjects === 'none' || isMissing(list)) return;
  try {
    if (!Array.isArray(list)) throw wrongKind('SequenceNode', list);
    for (const subject of list) setSubject(subject, subjects, set);
  } catch (error) {
    throw restate(error, (message) => `setting namespace on (cluster)role binding subjects: ${message}`);
  }
}

function setSubject(subject: Value, mode: SubjectMode, set: Setter): void {
  if (isMissing(subject)) return;
  if (!isMapping(subject)) throw wrongKind('MappingNode', subject);
  const [name, wanted] = mode === 'allServiceAccounts' ? ['kind', 'ServiceAccount'] : ['name', 'default'];
  if (textOf(field(subject, name ?? '')) !== wanted) return;
  const old = field(subject, 'namespace');
  if (old === undefined) setField(subject, 'namespace', '');
  set(old ?? '', subject, 'namespace');
}
