import { bytesToText, encodeJson, formatG, readYaml, textToBytes, writeYamlFromJson, type YamlValue } from '../../../src/golang/index.ts';
import { decodeV3 } from '../../../src/golang/yaml/decode-v3.ts';
import { GoAnyMap, type GoYaml } from '../../../src/golang/yaml/go-syntax.ts';
import { DEFAULT_YAML_LIMITS } from '../../../src/golang/yaml/limits.ts';
import { Composer } from '../../../src/golang/yaml/node.ts';
import { nodeValue, readResourceNodes, writeNode } from '../../../src/golang/yaml/resources.ts';
import { yamlSource } from '../../../src/golang/yaml/source.ts';
import { YamlTime } from '../../../src/golang/yaml/timestamp.ts';
import { attempt, checkEach, type Fact, type Outcome } from './suite.ts';

/** Facts about reading YAML: sigs.k8s.io/yaml, yaml.v3 and kustomize's reader. */
export function suite(facts: Iterable<unknown>): Iterable<Outcome> {
  return checkEach(facts, (fact) => {
    const wrong = [...checkV2(fact), ...checkV3(fact), ...checkBuild(fact)];
    return wrong.length === 0 ? undefined : `${wrong.join('; ')} <- ${JSON.stringify(input(fact))}`;
  });
}

function input(fact: Fact): string | Uint8Array {
  const encoded = fact['yamlB64'];
  return typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : String(fact['yaml']);
}

function* checkV2(fact: Fact): Iterable<string> {
  const have = attempt(() => readYaml(input(fact)));
  yield* compare(
    'json',
    have.error === undefined ? canonical(have.value) : undefined,
    'json' in fact ? canonical(fact['json']) : undefined,
  );
  yield* compare('error', have.error, fact['error']);
  const strict = attempt(() => readYaml(input(fact), { strict: true }));
  yield* compare('strictError', strict.error, fact['strictError'] ?? fact['error']);
}

function* checkV3(fact: Fact): Iterable<string> {
  const have: unknown[] = [];
  const result = attempt(() => {
    const composer = new Composer(yamlSource(input(fact), DEFAULT_YAML_LIMITS), true, DEFAULT_YAML_LIMITS);
    for (let node = composer.document(); node !== undefined; node = composer.document()) {
      have.push(marked(decodeV3(node, DEFAULT_YAML_LIMITS)));
    }
  });
  const want = fact['v3'] ?? ('json' in fact && fact['v3Error'] === undefined ? [fact['json']] : undefined);
  if (want !== undefined || fact['v3Error'] === undefined) yield* compare('v3', canonical(have), canonical(want ?? []));
  yield* compare('v3Error', result.error, fact['v3Error']);
}

function* checkBuild(fact: Fact): Iterable<string> {
  const read = attempt(() => readResourceNodes(inputText(fact)));
  const build = attempt(() => (read.value ?? []).map((node) => writeYamlFromJson(encodeJson(nodeValue(node)))));
  const error = read.error ?? build.error;
  if (fact['buildCrash'] !== undefined) {
    if (error === undefined) yield 'build: want an error where the reference crashes';
    return;
  }
  yield* compare('buildError', error, fact['buildError']);
  if (error !== undefined) return;
  yield* compare('build', JSON.stringify(build.value), JSON.stringify(fact['build'] ?? []));
  const nodes = (read.value ?? []).map(writeNode);
  if (fact['nodes'] !== undefined) yield* compare('nodes', JSON.stringify(nodes), JSON.stringify(fact['nodes']));
  else if (JSON.stringify(nodes) !== JSON.stringify(fact['build'] ?? []) && nodes.join('---\n') !== fact['yaml']) {
    yield* compare('nodes', JSON.stringify(nodes), 'the text itself or build');
  }
}

function inputText(fact: Fact): string {
  const bytes = input(fact);
  return typeof bytes === 'string' ? bytes : bytesToText(bytes);
}

function* compare(what: string, have: unknown, want: unknown): Iterable<string> {
  if (have !== want) yield `${what}: have ${String(have)}, want ${String(want)}`;
}

/** The facts' notation for what JSON cannot tell apart. */
function marked(value: GoYaml): unknown {
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return { '!float': 'NaN' };
    if (!Number.isFinite(value)) return { '!float': value > 0 ? '+Inf' : '-Inf' };
    return Number.isInteger(value) ? { '!float': formatG(value) } : value;
  }
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') return value.isWellFormed() ? value : { '!bytes': Buffer.from(textToBytes(value)).toString('base64') };
  if (value instanceof YamlTime) return { '!time': value.text };
  if (Array.isArray(value)) return value.map(marked);
  if (value instanceof GoAnyMap) return { '!map': [...value].map(([key, item]) => [marked(key), marked(item)]) };
  if (value instanceof Map) {
    return Object.fromEntries(
      [...value].map(([key, item]) => [
        key.isWellFormed() ? key : `!bytes:${Buffer.from(textToBytes(key)).toString('base64')}`,
        marked(item),
      ]),
    );
  }
  return value;
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (isMarkedMap(value)) return `{"!map":[${value['!map'].map(canonical).sort().join(',')}]}`;
  if (typeof value === 'object' && value !== null) {
    const object = value as Record<string, YamlValue>;
    return `{${Object.keys(object)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonical(object[key])}`)
      .join(',')}}`;
  }
  return JSON.stringify(value);
}

function isMarkedMap(value: unknown): value is { '!map': unknown[] } {
  return typeof value === 'object' && value !== null && '!map' in value && Array.isArray(value['!map']);
}
