import { decodeJson, writeYaml, writeYamlFromJson, writeYamlV3, type YamlValue } from '../../../src/golang/index.ts';
import { attempt, checkEach, sourceOf, text, type Fact, type Outcome } from './suite.ts';

/** Facts about writing YAML: sigs.k8s.io/yaml, its JSONToYAML, and yaml.v3 in two layouts. */
export function suite(facts: Iterable<unknown>): Iterable<Outcome> {
  return checkEach(facts, (fact) => {
    const json = jsonOf(fact);
    const value = decodeJson(json);
    const yaml = fact['yamlError'] === undefined ? text(fact, 'yaml') : undefined;
    const v3 = fact['yamlv3'] ?? yaml;
    const wrong = [
      ...check('yaml', () => writeYaml(value), yaml, fact['yamlError']),
      ...check(
        'fromJson',
        () => writeYamlFromJson(json),
        fact['fromJsonError'] === undefined ? (fact['fromJson'] ?? yaml) : undefined,
        fact['fromJsonError'],
      ),
      ...check('yamlv3', () => writeYamlV3(value, { compactSequences: true }), v3, undefined),
      ...check('pretty', () => writeYamlV3(value), fact['pretty'] ?? v3, undefined),
    ];
    return wrong.length === 0 ? undefined : `${wrong.join('; ')} <- ${json}`;
  });
}

function* check(what: string, write: () => string, want: unknown, wantError: unknown): Iterable<string> {
  const have = attempt(write);
  if (have.value !== want) yield `${what}: have ${JSON.stringify(have.value)}, want ${JSON.stringify(want)}`;
  if (have.error !== wantError) yield `${what} error: have ${String(have.error)}, want ${String(wantError)}`;
}

/** The text of the field `json` itself, with its digits. */
function jsonOf(fact: Fact): string {
  const line = sourceOf(fact);
  const start = line.indexOf('"json":') + '"json":'.length;
  const end = valueEnd(line, start);
  return line.slice(start, end);
}

function valueEnd(line: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let i = start; i < line.length; i++) {
    const c = line[i];
    if (quoted) {
      if (c === '\\') i += 1;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '{' || c === '[') depth += 1;
    else if (c === '}' || c === ']' || c === ',') {
      if (depth === 0) return i;
      if (c !== ',') depth -= 1;
    }
  }
  return line.length;
}

export type { YamlValue };
