import { KustomizeError, wrapError } from './errors.ts';
import { formatId, isSelected, type Gvk, type ResId } from './gvk.ts';
import { wrongKind } from './plain.ts';
import { field, isMapping, isNull, setField, textOf, type Mapping, type Sequence, type Value } from './value.ts';

/** Fields of some kinds: a path below the object, where sequences are passed through. */
export type FieldSpec = Gvk & {
  /** Field names separated by `/`; `\/` is a slash in a name, `[]` after a name says that it is a sequence. */
  readonly path: string;
  /** Make the field where it is missing. */
  readonly create: boolean;
};

/** What a missing field is made of. `undefined`: missing fields are never made. */
export type CreateKind = 'mapping' | 'scalar' | undefined;

/** Called at each field found: its value and where it stands. */
export type FieldVisitor = (value: Value, holder: Mapping | Sequence, key: string | number) => void;

/** Splits a path at unescaped delimiters; a leading delimiter is ignored. */
export function splitPath(path: string, delimiter: string): string[] {
  const parts = path.split(delimiter);
  if (parts.length > 1 && parts[0] === '') parts.shift();
  const result = [parts[0] ?? ''];
  for (const part of parts.slice(1)) {
    const last = result.at(-1) ?? '';
    if (last.endsWith('\\')) result[result.length - 1] = last.slice(0, -1) + delimiter + part;
    else result.push(part);
  }
  return result;
}

/** `plain`: a name that can only be a field, as nearly all are. */
type Step = { readonly name: string; readonly sequence: boolean; readonly plain: boolean };
type Plan = { readonly spec: FieldSpec; readonly steps: readonly Step[] };

function planOf(spec: FieldSpec): Plan {
  const steps = splitPath(spec.path, '/').map((part) => {
    const sequence = part.endsWith('[]');
    const name = sequence ? part.slice(0, -2) : part;
    return { name, sequence, plain: /^[A-Za-z_$/]/.test(name) };
  });
  return { spec, steps };
}

/** Plans by kind are remembered over many builds; hostile input with ever new kinds must not fill the memory. */
export const MAX_REMEMBERED_KINDS = 2_000;

const prepared = new WeakMap<readonly FieldSpec[], FieldSpecs>();

/** Makes a list of field specs ready; for the same (unchanging) list it is done once. */
export function fieldSpecs(specs: readonly FieldSpec[]): FieldSpecs {
  let ready = prepared.get(specs);
  if (ready === undefined) {
    ready = new FieldSpecs(specs);
    prepared.set(specs, ready);
  }
  return ready;
}

/** Field specs made ready: the paths split, and found by kind without looking at the others. */
export class FieldSpecs {
  readonly #plans: readonly Plan[];
  readonly #byKind = new Map<string, readonly Plan[]>();

  constructor(specs: readonly FieldSpec[]) {
    this.#plans = specs.map(planOf);
  }

  /** Visits every field of an object that one of the specs names, in their order. */
  visit(object: Mapping, id: ResId, createKind: CreateKind, visitor: FieldVisitor): void {
    for (const plan of this.#matching(id)) {
      try {
        walk(object, plan, 0, createKind, visitor, object, '');
      } catch (error) {
        throw wrapError(error, `considering field '${plan.spec.path}' of object ${formatId(id)}`);
      }
    }
  }

  #matching(id: ResId): readonly Plan[] {
    const key = `${id.kind}|${id.group}|${id.version}`;
    let plans = this.#byKind.get(key);
    if (plans === undefined) {
      plans = this.#plans.filter(({ spec }) => isSelected(id, spec));
      if (this.#byKind.size >= MAX_REMEMBERED_KINDS) this.#byKind.clear();
      this.#byKind.set(key, plans);
    }
    return plans;
  }
}

function walk(
  value: Value,
  plan: Plan,
  depth: number,
  createKind: CreateKind,
  visitor: FieldVisitor,
  holder: Mapping | Sequence,
  key: string | number,
): void {
  const step = plan.steps[depth];
  if (step === undefined) return visitor(value, holder, key);
  if (isMapping(value)) return walkMapping(value, step, plan, depth, createKind, visitor);
  if (isNull(value)) return;
  if (!Array.isArray(value)) throw new KustomizeError('TransformFailed', 'expected sequence or mapping node');
  for (let i = 0; i < value.length; i++) {
    try {
      walk(value[i] ?? null, plan, depth, createKind, visitor, value, i);
    } catch (error) {
      const rest = plan.steps.slice(depth).map(({ name, sequence }) => (sequence ? `${name}[]` : name));
      throw wrapError(error, `visit traversal on path: [${rest.join(' ')}]`);
    }
  }
}

function walkMapping(mapping: Mapping, step: Step, plan: Plan, depth: number, createKind: CreateKind, visitor: FieldVisitor): void {
  const { name, sequence, plain } = step;
  if (!plain) checkFieldName(name, mapping);
  const creates = plan.spec.create && createKind !== undefined && !sequence;
  const made: CreateKind | 'sequence' = sequence ? 'sequence' : !creates ? undefined : isLast(plan, depth) ? createKind : 'mapping';
  let value = field(mapping, name);
  if (value === undefined) {
    if (!creates) return;
    value = emptyOf(made);
    setField(mapping, name, value);
  } else if (made !== undefined && isNull(value)) {
    // A null becomes what the path says it is, keeping its text if that is a scalar.
    value = made === 'scalar' ? textOf(value) : emptyOf(made);
    setField(mapping, name, value);
  }
  walk(value, plan, depth + 1, createKind, visitor, mapping, name);
}

function isLast(plan: Plan, depth: number): boolean {
  return depth === plan.steps.length - 1;
}

function emptyOf(kind: CreateKind | 'sequence'): Value {
  if (kind === 'sequence') return [];
  return kind === 'mapping' ? {} : '';
}

/** Names that kyaml takes for an element of a sequence fit no mapping. */
function checkFieldName(name: string, mapping: Mapping): void {
  if (name === '') throw new KustomizeError('TransformFailed', 'cannot set or create an empty field name');
  if (name === '*') throw new KustomizeError('TransformFailed', `fieldName: ${name}: wildcard is not supported in PathGetter`);
  if (/^[-+]?\d+$/.test(name) || name === '-' || /^\[.*\]$/.test(name)) {
    throw wrapError(wrongKind('SequenceNode', mapping), `fieldName: ${name}`);
  }
}
