import { isYamlObject, writeYaml, type YamlObject, type YamlValue } from '../../golang/index.ts';
import { compareUtf8, digestOf } from '../../std/index.ts';

/** Spaces per level of go-yaml. */
const INDENT = 2;

/** Hash of values (HB24): SHA-256 of their YAML with keys in byte order; of nothing when there are none. */
export function configDigest(values: YamlObject): string {
  return digestOf(Object.keys(values).length === 0 ? '' : sortedYaml(values));
}

/** The YAML go-yaml writes for values whose keys are in byte order, not in the natural order it would choose itself. */
function sortedYaml(values: YamlObject): string {
  return isNaturallySorted(values) ? writeYaml(values) : block(values, 0);
}

/** True when in every mapping the natural order of keys is that of their bytes. */
function isNaturallySorted(value: YamlValue): boolean {
  if (Array.isArray(value)) return value.every(isNaturallySorted);
  if (!isYamlObject(value)) return true;
  const keys = Object.keys(value).sort(compareUtf8);
  const inOrder = keys.every((key, index) => index === 0 || areLettersApart(keys[index - 1] ?? '', key));
  return inOrder && Object.values(value).every(isNaturallySorted);
}

/** True when two keys first differ in letters, or one begins the other: there both orders agree. */
function areLettersApart(a: string, b: string): boolean {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  return i === a.length || i === b.length || (isLetter(a[i]) && isLetter(b[i]));
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /[a-zA-Z]/.test(character);
}

/**
 * The text of a collection whose entries or dashes stand at `indent`. Each entry is written alone, inside as many mappings as it takes to
 * get it there, so that indents and folds are those of the whole; the lines of these mappings are then cut off.
 */
function block(value: YamlObject | readonly YamlValue[], indent: number): string {
  if (isSequence(value)) return value.map((item) => dash(item, indent)).join('');
  return Object.keys(value)
    .sort(compareUtf8)
    .map((key) => entry(key, value[key] ?? null, indent))
    .join('');
}

function isSequence(value: YamlObject | readonly YamlValue[]): value is readonly YamlValue[] {
  return Array.isArray(value);
}

function entry(key: string, value: YamlValue, indent: number): string {
  if (isBlock(value)) {
    const head = at(indent, { [key]: {} }).replace(/ \{\}\n$/, '\n');
    // A list stands flush with its key.
    return head + block(value, Array.isArray(value) ? indent : indent + INDENT);
  }
  return at(indent, { [key]: value });
}

function dash(item: YamlValue, indent: number): string {
  // The list is flush with the key above it, so that its dash is one level to the left.
  if (!isBlock(item)) return at(indent + INDENT, [item]);
  const text = block(item, indent + INDENT);
  return `${' '.repeat(indent)}- ${text.slice(indent + INDENT)}`;
}

/** True for what is written on lines of its own. */
function isBlock(value: YamlValue): value is YamlObject | YamlValue[] {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

/** A mapping's entry, or a list's item, written at `indent`. */
function at(indent: number, value: YamlValue): string {
  let nested = value;
  for (let depth = 0; depth < indent; depth += INDENT) nested = { a: nested };
  const lines = writeYaml(nested).split(/(?<=\n)/);
  return lines.slice(indent / INDENT).join('');
}
