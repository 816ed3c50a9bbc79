import { isDeepStrictEqual } from 'node:util';
import {
  goMap,
  GoMap,
  goTypeName,
  mapFromYaml,
  toYamlValue,
  type GoValue,
  type YamlObject,
  type YamlValue,
} from '../../../src/golang/index.ts';
import { setFileValue, setJsonValue, setLiteralValue, setStringValue, setValue } from '../../../src/helm/index.ts';
import { attempt, checkEach, text, type Outcome } from './suite.ts';

/** What `--set` and its sisters make of an expression (strvals.jsonl). */
export function suite(facts: Iterable<unknown>): Iterable<Outcome> {
  return checkEach(facts, (fact) => {
    const base = fact['base'];
    const into = base === undefined ? goMap() : mapFromYaml(base as YamlObject);
    const { error } = attempt(() => apply(text(fact, 'mode'), text(fact, 'expr'), into));
    const have = error === undefined ? { values: asJson(toYamlValue(into, { integers: 'bigint' })), types: typesOf(into) } : { error };
    const want =
      fact['error'] === undefined ? { values: asJson(fact['values'] as YamlValue), types: fact['types'] } : { error: fact['error'] };
    return isDeepStrictEqual(have, want) ? undefined : `${text(fact, 'expr')}: have ${JSON.stringify(have)}, want ${JSON.stringify(want)}`;
  });
}

function apply(mode: string, expression: string, into: GoMap): void {
  switch (mode) {
    case 'set':
      return setValue(expression, into);
    case 'set-string':
      return setStringValue(expression, into);
    case 'set-json':
      return setJsonValue(expression, into);
    case 'set-literal':
      return setLiteralValue(expression, into);
    default:
      return setFileValue(expression, into, (name) => {
        if (name.startsWith('no')) throw new Error(`cannot read ${name}`);
        return `<${name}>`;
      });
  }
}

/** The facts were read with JSON.parse, so are compared as it would read our numbers. */
function asJson(value: YamlValue): YamlValue {
  if (typeof value === 'bigint') return Number(value);
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asJson(item)]));
}

function typesOf(value: GoValue): YamlValue {
  if (value instanceof GoMap) return Object.fromEntries(value.sortedKeys().map((key) => [key, typesOf(value.get(key))]));
  return Array.isArray(value) ? value.map(typesOf) : goTypeName(value);
}
