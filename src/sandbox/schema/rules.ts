import { errorMessage } from '../../std/index.ts';
import { type Expression, parseExpression } from '../../cel/index.ts';
import { isList, isMap, type Json } from '../fields/index.ts';
import type { FieldFault } from '../request/status.ts';
import type { StructuralSchema } from './structural.ts';

type Rule = {
  expression: Expression;
  source: string;
  message: string;
  messageExpression: Expression | undefined;
  fieldPath: string;
  usesOld: boolean;
};

/** A schema's rules, prepared: its own, and those below it. */
type Node = { rules: readonly Rule[]; fields: ReadonlyMap<string, Node>; values: Node | undefined; items: Node | undefined };

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
  return { rules, fields, values, items };
}

function check(node: Node, value: Json, old: Json | undefined, path: string, faults: FieldFault[]): void {
  for (const rule of node.rules) {
    if (rule.usesOld && old === undefined) continue;
    const fault = evaluate(rule, value, old);
    if (fault !== undefined)
      faults.push({
        type: 'FieldValueInvalid',
        field: `${path === '' ? '<root>' : path}${rule.fieldPath}`,
        message: `Invalid value: ${typeof value === 'object' ? '' : `${JSON.stringify(value)}: `}${fault}`,
      });
  }
  if (isMap(value)) {
    const before = isMap(old) ? old : {};
    for (const [key, child] of Object.entries(value)) {
      const below = node.fields.get(key) ?? node.values;
      if (below !== undefined && child !== null)
        check(below, child, Object.hasOwn(before, key) ? before[key] : undefined, path === '' ? key : `${path}.${key}`, faults);
    }
  }
  const { items } = node;
  if (isList(value) && items !== undefined) value.forEach((item, i) => check(items, item, undefined, `${path}[${i}]`, faults));
}

/** The fault's text, or undefined when the rule holds. */
function evaluate(rule: Rule, value: Json, old: Json | undefined): string | undefined {
  const variables = old === undefined ? { self: value } : { self: value, oldSelf: old };
  try {
    if (rule.expression.evaluateBoolean(variables)) return undefined;
    return rule.messageExpression === undefined ? rule.message : rule.messageExpression.evaluateString(variables);
  } catch (error) {
    return `rule evaluation error: ${rule.source}: ${errorMessage(error)}`;
  }
}
