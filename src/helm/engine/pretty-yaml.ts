import {
  budgetExceeded,
  durationType,
  formatValue,
  GoInt,
  GoMap,
  GoSlice,
  GoStruct,
  MAX_VALUE_DEPTH,
  newNode,
  PLAIN_STYLE,
  sliceItems,
  timeType,
  toYamlValue,
  valueNode,
  writeNodeV3,
  type GoValue,
  type YamlNode,
} from '../../golang/index.ts';

/** Helm's toYamlPretty before it takes the last newline off: yaml.v3 straight from the value, without JSON in between. */
export function prettyYaml(value: GoValue): string {
  return writeNodeV3(prettyNode(value, 0));
}

/** A value as yaml.v3 sees it: integers stay integers, nil maps and lists are empty ones, structs are their fields in lower case. */
function prettyNode(value: GoValue, depth: number): YamlNode {
  if (depth > MAX_VALUE_DEPTH) throw budgetExceeded('nesting of a value', MAX_VALUE_DEPTH);
  if (value instanceof GoMap) return mapNode(value, depth);
  if (value instanceof GoStruct) return structNode(value, depth);
  if (value instanceof GoInt && value.type === durationType) return valueNode(formatValue(value));
  const items = value instanceof GoSlice || Array.isArray(value) ? sliceItems(value) : undefined;
  if (items === undefined) return valueNode(toYamlValue(value, { integers: 'bigint' }));
  return collection(
    'sequence',
    items.map((item) => prettyNode(item, depth + 1)),
  );
}

function collection(kind: 'mapping' | 'sequence', content: YamlNode[]): YamlNode {
  const node = newNode(kind, '', '');
  node.content = content;
  return node;
}

/** The keys as the writer orders and quotes them, each with its value. */
function mapNode(map: GoMap, depth: number): YamlNode {
  const { content } = valueNode(Object.fromEntries([...map.keys()].map((key) => [key, null])));
  const keys = content.filter((_, i) => i % 2 === 0);
  return collection(
    'mapping',
    keys.flatMap((key) => [key, prettyNode(map.get(key.value), depth + 1)]),
  );
}

function structNode(struct: GoStruct, depth: number): YamlNode {
  if (struct.data === null || struct.data === undefined) return valueNode(null);
  const { structType } = struct;
  const text = structType.marshal?.(struct);
  // Types that marshal to a text in JSON do so in YAML; others are left to yaml.v3, which knows no JSON names.
  if (typeof text === 'string') return structType === timeType ? plainText(text) : valueNode(text);
  const fields = (structType.fields ?? []).filter(({ name }) => /^\p{Lu}/u.test(name));
  return collection(
    'mapping',
    fields.flatMap((field) => [valueNode(field.name.toLowerCase()), prettyNode(field.get(struct), depth + 1)]),
  );
}

function plainText(text: string): YamlNode {
  const node = newNode('scalar', '', text);
  node.style = PLAIN_STYLE;
  return node;
}
