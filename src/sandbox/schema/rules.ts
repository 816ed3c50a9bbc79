import { errorMessage } from '../../std/index.ts';
import { type Expression, parseExpression } from '../../cel/index.ts';
import { isList, isMap, type Json, sameJson } from '../fields/index.ts';
import type { FieldFault } from '../request/status.ts';
import type { StructuralSchema } from './structural.ts';

type Rule = {
  expression: Expression;
  source: string;
  message: string;
  messageExpression: Expression | undefined;
  fieldPath: string;
  reason: string | undefined;
  usesOld: boolean;
};

/** A schema's rules, prepared: its own, and those below it. */
type Node = {
  rules: readonly Rule[];
  fields: ReadonlyMap<string, Node>;
  values: Node | undefined;
  items: Node | undefined;
  /** By what items of a list are found again; none of a list that is no map. */
  keys: readonly string[];
};

/** How deep rules are looked for in a schema. */
const DEPTH_LIMIT = 50;

/**
 * Prepares the `x-kubernetes-validations` of a schema (CEL, apiextensions v1). The result checks a value: `self` is the value at
 * the rule, `oldSelf` what it was; rules about `oldSelf` hold for updates only.
 * Undefined when a schema has none.
 * @throws CodedError for an expression that cannot be parsed
 */
export function schemaRules(schema: StructuralSchema): ((value: Json, old: Json | undefined) => FieldFault[]) | undefined {
  const node = prepare(schema, 0);
  if (node === undefined) return undefined;
  return (value, old) => {
    const faults: FieldFault[] = [];
    check(node, value, old, '', faults);
    return faults;
  };
}

function prepare(schema: StructuralSchema, depth: number): Node | undefined {
  if (depth > DEPTH_LIMIT) return undefined;
  const rules = (schema['x-kubernetes-validations'] ?? []).map((it): Rule => ({
    expression: parseExpression(it.rule),
    source: it.rule,
    message: it.message ?? `failed rule: ${it.rule}`,
    messageExpression: it.messageExpression === undefined ? undefined : parseExpression(it.messageExpression),
    fieldPath: it.fieldPath ?? '',
    reason: it.reason,
    usesOld: /\boldSelf\b/.test(it.rule) && it.optionalOldSelf !== true,
  }));
  const fields = new Map<string, Node>();
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const below = prepare(field, depth + 1);
    if (below !== undefined) fields.set(name, below);
  }
  const values = typeof schema.additionalProperties === 'object' ? prepare(schema.additionalProperties, depth + 1) : undefined;
  const items = schema.items === undefined ? undefined : prepare(schema.items, depth + 1);
  if (rules.length === 0 && fields.size === 0 && values === undefined && items === undefined) return undefined;
  const keys = schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : [];
  return { rules, fields, values, items, keys };
}

function check(node: Node, value: Json, old: Json | undefined, path: string, faults: FieldFault[]): void {
  for (const rule of node.rules) {
    if (rule.usesOld && old === undefined) continue;
    const fault = evaluate(rule, value, old);
    if (fault !== undefined) faults.push(faultOf(rule, fault, value, path));
  }
  if (isMap(value)) {
    const before = isMap(old) ? old : {};
    for (const [key, child] of Object.entries(value)) {
      const below = node.fields.get(key) ?? node.values;
      if (below !== undefined && child !== null)
        check(below, child, Object.hasOwn(before, key) ? before[key] : undefined, step(path, key, node.fields.has(key)), faults);
    }
  }
  const { items } = node;
  if (isList(value) && items !== undefined)
    value.forEach((item, i) => check(items, item, isList(old) ? sameItem(node.keys, item, old) : undefined, `${path}[${i}]`, faults));
}

/** The item a keyed list had under the same keys. */
function sameItem(keys: readonly string[], item: Json, old: readonly Json[]): Json | undefined {
  if (keys.length === 0 || !isMap(item)) return undefined;
  return old.find((it) => isMap(it) && keys.every((key) => sameJson(it[key], item[key])));
}

function step(path: string, key: string, isField: boolean): string {
  if (!isField) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** A broken rule, as the reason it gives tells it. */
function faultOf(rule: Rule, text: string, value: Json, path: string): FieldFault {
  const field = `${path}${rule.fieldPath}`.replace(/^\./, '') || '<nil>';
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return { type: 'FieldValueForbidden', field, message: `Forbidden: ${text}` };
    case 'FieldValueRequired':
      return { type: 'FieldValueRequired', field, message: `Required value: ${text}` };
    case 'FieldValueDuplicate':
      return { type: 'FieldValueDuplicate', field, message: `Duplicate value: ${JSON.stringify(value)}` };
    default:
      return {
        type: 'FieldValueInvalid',
        field,
        message: `Invalid value: ${typeof value === 'object' ? '' : `${JSON.stringify(value)}: `}${text}`,
      };
  }
}

/** Why a rule could not be evaluated, in cel-go's words where we know them. */
function evaluationFault(rule: Rule, value: Json, cause: string): string {
  const index = /index out of bounds, index (\d+)/.exec(cause)?.[1];
  const key = /No such key: ([\w.-]+)$/.exec(cause)?.[1];
  const kind = isList(value) ? 'array' : isMap(value) ? 'object' : typeof value;
  const known = index !== undefined ? `index out of bounds: ${index}` : key !== undefined ? `no such key: ${key}` : undefined;
  return known === undefined
    ? `rule evaluation error: ${rule.source}: ${cause}`
    : `${JSON.stringify(kind)}: ${known} evaluating rule: ${rule.message.replace(/^failed rule: /, '')}`;
}

/** The fault's text, or undefined when the rule holds. */
function evaluate(rule: Rule, value: Json, old: Json | undefined): string | undefined {
  const variables = old === undefined ? { self: value } : { self: value, oldSelf: old };
  try {
    if (rule.expression.evaluateBoolean(variables)) return undefined;
    return rule.messageExpression === undefined ? rule.message : rule.messageExpression.evaluateString(variables);
  } catch (error) {
    return evaluationFault(rule, value, errorMessage(error));
  }
}
