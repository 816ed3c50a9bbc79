import { bytesToText } from '../text.ts';
import { YamlError, yamlLimitExceeded } from './error.ts';
import { goSyntax, type GoYaml } from './go-syntax.ts';
import type { YamlLimits } from './limits.ts';
import type { YamlNode } from './node.ts';

const RATIO_LOW = 400_000;
const RATIO_HIGH = 4_000_000;

/** Which share of the values may come from aliases: go-yaml's guard against texts that unfold without end. */
function allowedAliasRatio(decoded: number): number {
  if (decoded <= RATIO_LOW) return 0.99;
  if (decoded >= RATIO_HIGH) return 0.1;
  return 0.99 - 0.89 * ((decoded - RATIO_LOW) / (RATIO_HIGH - RATIO_LOW));
}

/** What decoding one document keeps count of, the same in both dialects. */
export class DecodeBudget {
  readonly #limits: YamlLimits;
  readonly #open = new Set<YamlNode>();
  #decoded = 0;
  #aliased = 0;
  #aliasDepth = 0;
  #depth = 0;

  constructor(limits: YamlLimits) {
    this.#limits = limits;
  }

  /** Counts one value. */
  count(): void {
    this.#decoded += 1;
    if (this.#aliasDepth > 0) this.#aliased += 1;
    if (this.#aliased > 100 && this.#decoded > 1000 && this.#aliased / this.#decoded > allowedAliasRatio(this.#decoded)) {
      throw new YamlError('yaml: document contains excessive aliasing');
    }
    if (this.#decoded > this.#limits.maxValues) throw yamlLimitExceeded('number of values', this.#limits.maxValues);
  }

  /** Follows an alias: decodes what it stands for with `decode`. */
  follow<T>(alias: YamlNode, decode: (target: YamlNode) => T): T {
    if (this.#open.has(alias)) throw new YamlError(`yaml: anchor '${alias.value}' value contains itself`);
    this.#open.add(alias);
    this.#aliasDepth += 1;
    const value = decode(alias.alias!);
    this.#aliasDepth -= 1;
    this.#open.delete(alias);
    return value;
  }

  enter(): void {
    this.#depth += 1;
    if (this.#depth > this.#limits.maxDepth) throw yamlLimitExceeded('depth', this.#limits.maxDepth);
  }

  leave(): void {
    this.#depth -= 1;
  }
}

/** The error for everything that did not fit its type. */
export function unmarshalErrors(problems: readonly string[]): YamlError {
  const line = /^line (\d+)/.exec(problems[0] ?? '')?.[1];
  return new YamlError(`yaml: unmarshal errors:\n  ${problems.join('\n  ')}`, line === undefined ? undefined : Number(line));
}

export function wantMap(): never {
  throw new YamlError('yaml: map merge requires map or sequence of maps as the value');
}

/** The mappings a merge key names, in the order they are written. */
export function mergeSources(node: YamlNode): readonly YamlNode[] {
  const isMapping = (item: YamlNode): boolean => item.kind === 'mapping' || (item.kind === 'alias' && item.alias?.kind === 'mapping');
  if (isMapping(node)) return [node];
  if (node.kind !== 'sequence') return wantMap();
  return node.content;
}

/** Throws unless a merge key may take its entries from this node. */
export function checkMergeSource(node: YamlNode): void {
  if (node.kind !== 'mapping' && (node.kind !== 'alias' || node.alias?.kind !== 'mapping')) wantMap();
}

export function invalidMapKey(key: GoYaml): never {
  throw new YamlError(`yaml: invalid map key: ${goSyntax(key)}`);
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The bytes of a `!!binary` scalar, as a Go string. */
export function decodeBinary(text: string): string {
  const packed = text.replace(/[\r\n]/g, '');
  if (!BASE64.test(packed)) throw new YamlError('yaml: !!binary value contains invalid base64 data');
  return bytesToText(Buffer.from(packed, 'base64'));
}
