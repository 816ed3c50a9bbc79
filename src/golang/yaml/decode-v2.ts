import { checkMergeSource, decodeBinary, DecodeBudget, invalidMapKey, mergeSources, unmarshalErrors } from './decode.ts';
import { GoAnyMap, goSyntax, type GoYaml } from './go-syntax.ts';
import type { YamlLimits } from './limits.ts';
import type { YamlNode } from './node.ts';
import { BINARY_TAG, MERGE_TAG, resolve, shortTag } from './resolve.ts';
import { YamlTime } from './timestamp.ts';

/** Decodes a document as yaml.v2's Unmarshal into `interface{}`; `strict` is UnmarshalStrict. */
export function decodeV2(document: YamlNode, strict: boolean, limits: YamlLimits): GoYaml {
  const decoder = new DecoderV2(strict, limits);
  const value = decoder.document(document);
  if (decoder.problems.length > 0) throw unmarshalErrors(decoder.problems);
  return value;
}

/** The short tag of a v2 node, `` for none. A tag written `!<!!int>` is no YAML tag. */
function ownTag(node: YamlNode): string {
  return node.tag.startsWith('!!') ? '!' : shortTag(node.tag);
}

function isMerge(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.value === '<<' && (node.implicit || ownTag(node) === MERGE_TAG);
}

class DecoderV2 {
  readonly problems: string[] = [];
  readonly #strict: boolean;
  readonly #budget: DecodeBudget;

  constructor(strict: boolean, limits: YamlLimits) {
    this.#strict = strict;
    this.#budget = new DecodeBudget(limits);
  }

  document(node: YamlNode): GoYaml {
    this.#budget.count();
    return this.#value(node.content[0]!);
  }

  #value(node: YamlNode): GoYaml {
    this.#budget.count();
    switch (node.kind) {
      case 'alias':
        return this.#budget.follow(node, (target) => this.#value(target));
      case 'mapping': {
        const map = new GoAnyMap();
        this.#entries(node, map);
        return map;
      }
      case 'sequence': {
        this.#budget.enter();
        const items = node.content.map((item) => this.#value(item));
        this.#budget.leave();
        return items;
      }
      case 'scalar':
      case 'document':
        return this.#scalar(node);
    }
  }

  #scalar(node: YamlNode): GoYaml {
    if (node.tag === '' && !node.implicit) return node.value;
    const { tag, value } = resolve(ownTag(node), node.value, false);
    if (tag === BINARY_TAG) return decodeBinary(node.value);
    return value instanceof YamlTime ? node.value : value;
  }

  #entries(node: YamlNode, out: GoAnyMap): void {
    this.#budget.enter();
    for (let i = 0; i < node.content.length; i += 2) {
      const keyNode = node.content[i]!;
      const valueNode = node.content[i + 1]!;
      if (isMerge(keyNode)) {
        this.#merge(valueNode, out);
        continue;
      }
      const key = this.#value(keyNode);
      if (typeof key === 'object' && key !== null) invalidMapKey(key);
      const value = this.#value(valueNode);
      if (this.#strict && out.has(key) && !Number.isNaN(key))
        this.problems.push(`line ${valueNode.line}: key ${goSyntax(key)} already set in map`);
      else out.set(key, value);
    }
    this.#budget.leave();
  }

  /** Entries of merged mappings overwrite what came before the merge key: yaml.v2 takes them in the order of the text. */
  #merge(node: YamlNode, out: GoAnyMap): void {
    for (const source of mergeSources(node).toReversed()) {
      checkMergeSource(source);
      this.#into(source, out);
    }
  }

  #into(node: YamlNode, out: GoAnyMap): void {
    this.#budget.count();
    if (node.kind === 'alias') this.#budget.follow(node, (target) => this.#into(target, out));
    else this.#entries(node, out);
  }
}
