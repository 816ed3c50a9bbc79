import { helmError } from '../errors.ts';
import type { Schema } from './compile.ts';
import { instanceEquals, instanceKey, instanceType, numberOf, type Instance, type InstanceObject, type InstanceType } from './document.ts';
import { display, englishNumber, mustBe, quotedList, singleQuoted, type Failure } from './messages.ts';
import { isMultipleOf } from './multiple.ts';
import { escapePointer, pointerOf } from './pointer.ts';

/** Subschema applications one validation may need; crossing it ends the validation with `BudgetExceeded`. */
export const MAX_SCHEMA_STEPS = 3_000_000;
/** Applications inside applications; protects the stack. */
const MAX_NESTING = 1500;

/** The metaschema in charge of an embedded resource, when a schema itself is validated. */
export type MetaContext = {
  readonly schema: Schema;
  /** The metaschema of the resource at a JSON pointer of the instance, if one starts there. */
  readonly at: (pointer: string) => Schema | undefined;
};

export type ValidateOptions = {
  meta?: MetaContext;
  maxSteps?: number;
};

/** What is wrong with `instance`, in the order of its sorted property names; undefined when nothing is. @throws CodedError `BudgetExceeded` */
export function validateInstance(schema: Schema, instance: Instance, options: ValidateOptions = {}): Failure | undefined {
  const run = new Run(options);
  const frame: Frame = {
    schema,
    path: [],
    scope: { schema, refKeyword: '', value: 0, parent: undefined },
    quiet: false,
    meta: options.meta,
  };
  const failure = run.apply(frame, instance, unevaluatedOf(instance, schema, false));
  if (failure === undefined) return undefined;
  const causes = failure.kind === 'group' ? failure.causes : [failure];
  return { kind: 'schema', text: `jsonschema validation failed with ${singleQuoted(schema.location)}`, path: [], causes };
}

type Scope = { readonly schema: Schema; readonly refKeyword: string; readonly value: number; readonly parent: Scope | undefined };

type Unevaluated = { properties?: Set<string>; items?: Set<number> };

type Frame = {
  readonly schema: Schema;
  readonly path: readonly string[];
  readonly scope: Scope;
  /** Only whether it is valid matters, no texts. */
  readonly quiet: boolean;
  readonly meta: MetaContext | undefined;
};

const QUIET_FAILURE: Failure = { kind: 'leaf', text: '', path: [], causes: [] };

class Run {
  readonly #maxSteps: number;
  #steps = 0;
  #depth = 0;

  constructor(options: ValidateOptions) {
    this.#maxSteps = options.maxSteps ?? MAX_SCHEMA_STEPS;
  }

  apply(frame: Frame, instance: Instance, unevaluated: Unevaluated): Failure | undefined {
    if (++this.#steps > this.#maxSteps) throw helmError('BudgetExceeded', `validate values: more than ${this.#maxSteps} schema steps`);
    if (++this.#depth > MAX_NESTING) throw helmError('BudgetExceeded', `validate values: schemas nest deeper than ${MAX_NESTING}`);
    const failure = this.#check(frame, instance, unevaluated);
    this.#depth -= 1;
    return failure;
  }

  #check(frame: Frame, instance: Instance, unevaluated: Unevaluated): Failure | undefined {
    const { schema } = frame;
    if (schema.always !== undefined) return schema.always ? undefined : leaf(frame, () => 'false schema');
    const cycle = findCycle(frame.scope);
    if (cycle !== undefined) {
      return leaf(
        frame,
        () =>
          `both ${keywordLocation(frame.scope)} and ${keywordLocation(cycle)} resolve to ${JSON.stringify(schema.location)} causing reference cycle`,
      );
    }
    const type = instanceType(instance);
    const first = checkAnyType(frame, instance, type);
    if (first !== undefined) return first;
    const failures: Failure[] = [];
    if (schema.ref !== undefined) {
      const failure = this.#reference(frame, instance, unevaluated, schema.ref, '$ref');
      if (schema.version < 2019) return failure;
      if (failure !== undefined) failures.push(failure);
    }
    if (type === 'object') this.#object(frame, instance as InstanceObject, unevaluated, failures);
    else if (type === 'array') this.#array(frame, instance as Instance[], unevaluated, failures);
    else if (type === 'string') checkString(frame, instance as string, failures);
    else if (type === 'number') checkNumber(frame, instance, failures);
    if (failures.length === 0 || !frame.quiet) this.#conditions(frame, instance, unevaluated, failures);
    const [only] = failures;
    return failures.length > 1 ? { kind: 'group', text: 'validation failed', path: frame.path, causes: failures } : only;
  }

  #object(frame: Frame, object: InstanceObject, unevaluated: Unevaluated, failures: Failure[]): void {
    const { schema } = frame;
    const fail = (text: () => string): void => void failures.push(leaf(frame, text));
    const { minProperties: min, maxProperties: max } = schema;
    if (min !== undefined && object.size < min) fail(() => `minProperties: got ${englishNumber(object.size)}, want ${englishNumber(min)}`);
    if (max !== undefined && object.size > max) fail(() => `maxProperties: got ${englishNumber(object.size)}, want ${englishNumber(max)}`);
    const missing = schema.required?.filter((name) => !object.has(name)) ?? [];
    if (missing.length > 0) fail(() => `missing ${missing.length === 1 ? 'property' : 'properties'} ${quotedList(missing)}`);
    if (frame.quiet && failures.length > 0) return;
    for (const [name, dependency] of schema.dependencies ?? []) {
      if (!object.has(name)) continue;
      if (Array.isArray(dependency)) requireOthers(object, name, dependency, fail);
      else push(failures, this.#self(frame, object as Instance, unevaluated, dependency as Schema));
    }
    this.#properties(frame, object, unevaluated, failures);
    if (schema.version === 4) return;
    if (schema.propertyNames !== undefined) this.#propertyNames(frame, object, schema.propertyNames, failures);
    if (schema.version === 6) return;
    for (const [name, dependent] of schema.dependentSchemas ?? []) {
      if (object.has(name)) push(failures, this.#self(frame, object as Instance, unevaluated, dependent));
    }
    for (const [name, others] of schema.dependentRequired ?? []) if (object.has(name)) requireOthers(object, name, others, fail);
  }

  #properties(frame: Frame, object: InstanceObject, unevaluated: Unevaluated, failures: Failure[]): void {
    const { schema } = frame;
    const { properties, patternProperties, additionalProperties } = schema;
    if (properties === undefined && patternProperties === undefined && additionalProperties === undefined) return;
    const additional: string[] = [];
    for (const name of sortedKeys(object)) {
      if (frame.quiet && failures.length > 0) return;
      const value = object.get(name) ?? null;
      let evaluated = false;
      const property = properties?.get(name);
      if (property !== undefined) {
        evaluated = true;
        push(failures, this.#value(frame, value, property, name));
      }
      for (const { pattern, schema: matched } of patternProperties ?? []) {
        if (!pattern.test(name)) continue;
        evaluated = true;
        push(failures, this.#value(frame, value, matched, name));
      }
      if (!evaluated && additionalProperties !== undefined) {
        evaluated = true;
        if (additionalProperties === false) additional.push(name);
        else if (additionalProperties !== true) push(failures, this.#value(frame, value, additionalProperties, name));
      }
      if (evaluated) unevaluated.properties?.delete(name);
    }
    if (additional.length > 0) failures.push(leaf(frame, () => `additional properties ${quotedList(additional)} not allowed`));
  }

  #propertyNames(frame: Frame, object: InstanceObject, names: Schema, failures: Failure[]): void {
    for (const name of sortedKeys(object)) {
      const scope: Scope = { schema: names, refKeyword: '', value: 0, parent: undefined };
      const inner: Frame = { schema: names, path: [], scope, quiet: frame.quiet, meta: frame.meta };
      const failure = this.apply(inner, name, {});
      if (failure === undefined) continue;
      const causes = failure.kind === 'group' ? failure.causes : [failure];
      failures.push({ kind: 'leaf', text: frame.quiet ? '' : `invalid propertyName ${singleQuoted(name)}`, path: [], causes });
    }
  }

  #array(frame: Frame, items: Instance[], unevaluated: Unevaluated, failures: Failure[]): void {
    const { schema } = frame;
    const fail = (text: () => string): void => void failures.push(leaf(frame, text));
    const { minItems: min, maxItems: max } = schema;
    if (min !== undefined && items.length < min) fail(() => `minItems: got ${englishNumber(items.length)}, want ${englishNumber(min)}`);
    if (max !== undefined && items.length > max) fail(() => `maxItems: got ${englishNumber(items.length)}, want ${englishNumber(max)}`);
    const twins = schema.uniqueItems === true ? duplicates(items) : undefined;
    if (twins !== undefined) fail(() => `items at ${englishNumber(twins[0])} and ${englishNumber(twins[1])} are equal`);
    const listed = Math.min(schema.itemList?.length ?? 0, items.length);
    for (let i = 0; i < listed; i++) {
      const item = schema.itemList?.[i];
      if (item !== undefined) push(failures, this.#value(frame, items[i] ?? null, item, String(i)));
    }
    // The reference counts the items behind the listed ones from 0 in its paths.
    const rest = (item: Schema): void => {
      for (let i = listed; i < items.length; i++) push(failures, this.#value(frame, items[i] ?? null, item, String(i - listed)));
    };
    if (schema.items !== undefined) rest(schema.items);
    const { additionalItems } = schema;
    if (schema.version < 2020 && additionalItems !== undefined) {
      if (additionalItems === false && listed !== items.length)
        fail(() => `last ${englishNumber(items.length - listed)} additionalItem(s) not allowed`);
      else if (typeof additionalItems !== 'boolean') rest(additionalItems);
    }
    if (schema.contains !== undefined) this.#contains(frame, items, unevaluated, schema.contains, failures);
  }

  #contains(frame: Frame, items: Instance[], unevaluated: Unevaluated, contains: Schema, failures: Failure[]): void {
    const { minContains: min, maxContains: max, version } = frame.schema;
    const causes: Failure[] = [];
    const matched: number[] = [];
    for (const [i, item] of items.entries()) {
      const failure = this.#value(frame, item, contains, String(i));
      if (failure === undefined) {
        matched.push(i);
        if (version >= 2020) unevaluated.items?.delete(i);
      } else causes.push(failure);
    }
    const found = `matched ${englishNumber(matched.length)} items at ${matched.join(' ')}`;
    if (min === undefined) {
      if (matched.length === 0) failures.push(group(frame, () => 'no items match contains schema', causes));
    } else if (matched.length < min) {
      failures.push(
        group(
          frame,
          () => `min ${englishNumber(min)} items required to match contains schema, but ${matched.length === 0 ? 'none matched' : found}`,
          causes,
        ),
      );
    }
    if (max !== undefined && matched.length > max) {
      failures.push(leaf(frame, () => `max ${englishNumber(max)} items required to match contains schema, but ${found}`));
    }
  }

  #conditions(frame: Frame, instance: Instance, unevaluated: Unevaluated, failures: Failure[]): void {
    const { schema } = frame;
    const modern = schema.version >= 2019;
    if (modern && schema.recursiveRef !== undefined) {
      const target =
        schema.recursiveRef.recursiveAnchor === true ? outermostRecursive(frame.scope, schema.recursiveRef) : schema.recursiveRef;
      push(failures, this.#reference(frame, instance, unevaluated, target, '$recursiveRef'));
    }
    if (modern && schema.dynamicRef !== undefined) {
      const { target, anchor } = schema.dynamicRef;
      const resolved = anchor !== '' && target.dynamicAnchor === anchor ? outermostDynamic(frame.scope, anchor, target) : target;
      push(failures, this.#reference(frame, instance, unevaluated, resolved, '$dynamicRef'));
    }
    if (schema.not !== undefined && this.#self(frame, instance, unevaluated, schema.not, true) === undefined) {
      failures.push(leaf(frame, () => "'not' failed"));
    }
    if (schema.allOf !== undefined) {
      const causes = schema.allOf.flatMap((each) => this.#self(frame, instance, unevaluated, each) ?? []);
      if (causes.length > 0) failures.push(group(frame, () => "'allOf' failed", causes));
    }
    if (schema.anyOf !== undefined) this.#anyOf(frame, instance, unevaluated, schema.anyOf, failures);
    if (schema.oneOf !== undefined) this.#oneOf(frame, instance, unevaluated, schema.oneOf, failures);
    if (schema.condition !== undefined) {
      const holds = this.#self(frame, instance, unevaluated, schema.condition.if, true) === undefined;
      const branch = holds ? schema.condition.then : schema.condition.else;
      if (branch !== undefined) push(failures, this.#self(frame, instance, unevaluated, branch));
    }
    if (modern) this.#unevaluated(frame, instance, unevaluated, failures);
  }

  #anyOf(frame: Frame, instance: Instance, unevaluated: Unevaluated, choices: readonly Schema[], failures: Failure[]): void {
    let matched = choices.length === 0;
    const causes: Failure[] = [];
    for (const choice of choices) {
      const failure = this.#self(frame, instance, unevaluated, choice);
      if (failure !== undefined) causes.push(failure);
      else {
        matched = true;
        if (isEvaluated(unevaluated)) break;
      }
    }
    if (!matched) failures.push(group(frame, () => "'anyOf' failed", causes));
  }

  #oneOf(frame: Frame, instance: Instance, unevaluated: Unevaluated, choices: readonly Schema[], failures: Failure[]): void {
    if (choices.length === 0) return;
    let matched = -1;
    const causes: Failure[] = [];
    for (const [i, choice] of choices.entries()) {
      const failure = this.#self(frame, instance, unevaluated, choice, matched !== -1);
      if (failure !== undefined) {
        if (matched === -1) causes.push(failure);
      } else if (matched === -1) matched = i;
      else {
        const both = [matched, i].map(englishNumber).join(', ');
        failures.push(leaf(frame, () => `'oneOf' failed, subschemas ${both} matched`));
        break;
      }
    }
    if (matched === -1) failures.push(group(frame, () => "'oneOf' failed, none matched", causes));
  }

  #unevaluated(frame: Frame, instance: Instance, unevaluated: Unevaluated, failures: Failure[]): void {
    const { unevaluatedProperties, unevaluatedItems } = frame.schema;
    if (unevaluatedProperties !== undefined && instanceType(instance) === 'object') {
      const object = instance as InstanceObject;
      for (const name of [...(unevaluated.properties ?? [])].sort()) {
        if (object.has(name)) push(failures, this.#value(frame, object.get(name) ?? null, unevaluatedProperties, name));
      }
      delete unevaluated.properties;
    }
    if (unevaluatedItems !== undefined && Array.isArray(instance)) {
      for (const i of unevaluated.items ?? []) push(failures, this.#value(frame, instance[i] ?? null, unevaluatedItems, String(i)));
      delete unevaluated.items;
    }
  }

  /** Another schema on the same value. */
  #self(frame: Frame, instance: Instance, unevaluated: Unevaluated, schema: Schema, quiet = false, refKeyword = ''): Failure | undefined {
    const target = metaOf(frame, schema, frame.path);
    const inner: Frame = {
      schema: target.schema,
      path: frame.path,
      scope: { schema: target.schema, refKeyword, value: frame.scope.value, parent: frame.scope },

      quiet: frame.quiet || quiet,
      meta: target.meta,
    };
    const own = unevaluatedOf(instance, schema, !isEvaluated(unevaluated));
    const failure = this.apply(inner, instance, own);
    if (failure === undefined) merge(unevaluated, own);
    return failure;
  }

  /** A schema on a value inside the current one. */
  #value(frame: Frame, instance: Instance, schema: Schema, token: string): Failure | undefined {
    const path = frame.quiet && frame.meta === undefined ? frame.path : [...frame.path, token];
    const target = metaOf(frame, schema, path);
    const inner: Frame = {
      schema: target.schema,
      path,
      scope: { schema: target.schema, refKeyword: '', value: frame.scope.value + 1, parent: frame.scope },

      quiet: frame.quiet,
      meta: target.meta,
    };
    return this.apply(inner, instance, unevaluatedOf(instance, schema, false));
  }

  #reference(frame: Frame, instance: Instance, unevaluated: Unevaluated, schema: Schema, keyword: string): Failure | undefined {
    const failure = this.#self(frame, instance, unevaluated, schema, false, keyword);
    if (failure === undefined || frame.quiet) return failure;
    const causes = failure.kind === 'group' ? failure.causes : [failure];
    return { kind: 'reference', text: 'validation failed', path: frame.path, causes };
  }
}

function push(failures: Failure[], failure: Failure | undefined): void {
  if (failure !== undefined) failures.push(failure);
}

function leaf(frame: Frame, text: () => string): Failure {
  return frame.quiet ? QUIET_FAILURE : { kind: 'leaf', text: text(), path: frame.path, causes: [] };
}

function group(frame: Frame, text: () => string, causes: readonly Failure[]): Failure {
  return frame.quiet ? QUIET_FAILURE : { kind: 'leaf', text: text(), path: frame.path, causes };
}

function sortedKeys(object: InstanceObject): string[] {
  return [...object.keys()].sort();
}

function requireOthers(object: InstanceObject, name: string, others: readonly string[], fail: (text: () => string) => void): void {
  const missing = others.filter((other) => !object.has(other));
  if (missing.length > 0) fail(() => `properties ${quotedList(missing)} required, if ${singleQuoted(name)} exists`);
}

/** type, const, enum and format, which stop at their first failure. */
function checkAnyType(frame: Frame, instance: Instance, type: InstanceType | undefined): Failure | undefined {
  const { types, constant, enumeration, format } = frame.schema;
  if (type === undefined) return leaf(frame, () => `invalid jsonType ${typeof instance}`);
  if (
    types !== undefined &&
    !types.includes(type) &&
    !(type === 'number' && types.includes('integer') && Number.isInteger(numberOf(instance)))
  ) {
    return leaf(frame, () => `got ${type}, want ${types.join(' or ')}`);
  }
  if (constant !== undefined && !instanceEquals(instance, constant.value)) return leaf(frame, () => mustBe([constant.value], 'const'));
  if (enumeration !== undefined) {
    const found = enumeration.types.has(type) && enumeration.values.some((value) => instanceEquals(instance, value));
    if (!found) return leaf(frame, () => mustBe(enumeration.values, 'enum'));
  }
  const problem = format === undefined || typeof instance !== 'string' ? undefined : format.check(instance);
  return problem === undefined ? undefined : leaf(frame, () => `${display(instance)} is not valid ${format?.name}: ${problem}`);
}

function checkString(frame: Frame, text: string, failures: Failure[]): void {
  const { minLength: min, maxLength: max, pattern } = frame.schema;
  if (min !== undefined || max !== undefined) {
    let length = 0;
    for (const _ of text) length += 1;
    if (min !== undefined && length < min)
      failures.push(leaf(frame, () => `minLength: got ${englishNumber(length)}, want ${englishNumber(min)}`));
    if (max !== undefined && length > max)
      failures.push(leaf(frame, () => `maxLength: got ${englishNumber(length)}, want ${englishNumber(max)}`));
  }
  if (pattern !== undefined && !pattern.test(text)) {
    failures.push(leaf(frame, () => `${singleQuoted(text)} does not match pattern ${singleQuoted(pattern.source)}`));
  }
}

function checkNumber(frame: Frame, instance: Instance, failures: Failure[]): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = frame.schema;
  const got = numberOf(instance);
  const fail = (keyword: string, want: number): void =>
    void failures.push(leaf(frame, () => `${keyword}: got ${englishNumber(got)}, want ${englishNumber(want)}`));
  if (minimum !== undefined && got < minimum.value) fail('minimum', minimum.value);
  if (maximum !== undefined && got > maximum.value) fail('maximum', maximum.value);
  if (exclusiveMinimum !== undefined && got <= exclusiveMinimum.value) fail('exclusiveMinimum', exclusiveMinimum.value);
  if (exclusiveMaximum !== undefined && got >= exclusiveMaximum.value) fail('exclusiveMaximum', exclusiveMaximum.value);
  if (multipleOf !== undefined && !isMultipleOf(got, multipleOf.value)) fail('multipleOf', multipleOf.value);
}

function duplicates(items: readonly Instance[]): [number, number] | undefined {
  const seen = new Map<string, number>();
  for (const [i, item] of items.entries()) {
    const key = `${instanceType(item)}:${instanceKey(item)}`;
    const other = seen.get(key);
    if (other !== undefined) return [other, i];
    seen.set(key, i);
  }
  return undefined;
}

function metaOf(frame: Frame, schema: Schema, path: readonly string[]): { schema: Schema; meta: MetaContext | undefined } {
  const { meta } = frame;
  if (meta === undefined || schema !== meta.schema) return { schema, meta };
  const other = meta.at(pointerOf(path));
  return other === undefined || other === schema ? { schema, meta } : { schema: other, meta: { ...meta, schema: other } };
}

/** The same schema already being applied to the same value, if there is one. */
function findCycle(scope: Scope): Scope | undefined {
  for (let at = scope.parent; at !== undefined && at.value === scope.value; at = at.parent) if (at.schema === scope.schema) return at;
  return undefined;
}

function keywordLocation(scope: Scope): string {
  let location = '';
  for (let at = scope; at.parent !== undefined; at = at.parent) {
    const step = at.refKeyword === '' ? at.schema.location.slice(at.parent.schema.location.length) : `/${escapePointer(at.refKeyword)}`;
    location = step + location;
  }
  return location;
}

function outermostRecursive(scope: Scope, fallback: Schema): Schema {
  let found = fallback;
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent)
    if (at.schema.resource.recursiveAnchor === true) found = at.schema;
  return found;
}

function outermostDynamic(scope: Scope, anchor: string, fallback: Schema): Schema {
  let found = fallback;
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) found = at.schema.resource.dynamicAnchors?.get(anchor) ?? found;
  return found;
}

function unevaluatedOf(instance: Instance, schema: Schema, callerNeeds: boolean): Unevaluated {
  if (schema.always !== undefined && !callerNeeds) return {};
  const type = instanceType(instance);
  if (type === 'object' && !schema.evaluatesAllProperties && (callerNeeds || schema.unevaluatedProperties !== undefined)) {
    return { properties: new Set((instance as InstanceObject).keys()) };
  }
  if (type === 'array' && !schema.evaluatesAllItems && (callerNeeds || schema.unevaluatedItems !== undefined)) {
    const { length } = instance as Instance[];
    const from = schema.evaluatedItems;
    if (from < length) return { items: new Set(Array.from({ length: length - from }, (_, i) => from + i)) };
  }
  return {};
}

/** What both leave unevaluated. */
function merge(into: Unevaluated, other: Unevaluated): void {
  for (const name of into.properties ?? []) if (other.properties?.has(name) !== true) into.properties?.delete(name);
  for (const i of into.items ?? []) if (other.items?.has(i) !== true) into.items?.delete(i);
}

function isEvaluated({ properties, items }: Unevaluated): boolean {
  return (properties?.size ?? 0) === 0 && (items?.size ?? 0) === 0;
}
