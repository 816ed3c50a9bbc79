import { formatG } from '../float-format.ts';
import { isPlainText } from './emit-v2.ts';
import { newNode, type YamlNode } from './node.ts';
import { sortedKeys } from './sort.ts';
import { DOUBLE_QUOTED, LITERAL, PLAIN } from './token.ts';
import type { YamlValue } from './value.ts';

/** The node yaml.v3's encoder makes of a value: maps in natural order, text quoted where it would be read as something else. */
export function valueNode(value: YamlValue): YamlNode {
  if (typeof value === 'string') return textNode(value);
  if (typeof value === 'number') return scalarNode(floatText(value), PLAIN);
  if (value === null || typeof value !== 'object') return scalarNode(String(value), PLAIN);
  const node = newNode(Array.isArray(value) ? 'sequence' : 'mapping', '', '');
  if (Array.isArray(value)) node.content = value.map(valueNode);
  else node.content = sortedKeys(value, true).flatMap((key) => [textNode(key), valueNode(value[key]!)]);
  return node;
}

function scalarNode(text: string, style: number): YamlNode {
  const node = newNode('scalar', '', text);
  node.style = style;
  return node;
}

function textNode(text: string): YamlNode {
  if (!text.isWellFormed()) return scalarNode(text, PLAIN);
  return scalarNode(text, text.includes('\n') ? LITERAL : isPlainText(text, true) ? PLAIN : DOUBLE_QUOTED);
}

function floatText(value: number): string {
  if (Number.isFinite(value)) return formatG(value);
  return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
}
