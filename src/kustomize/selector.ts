import { effectiveNamespace, formatId, type Gvk } from './gvk.ts';
import { parseLabelSelector, type LabelMatcher } from './label-selector.ts';
import { compileAnchored, type TextMatcher } from './regular-expression.ts';
import { metaMap, type Resource } from './resource.ts';

/** Which resources: every field but the last two is a regular expression, `` fits everything. */
export type Selector = Gvk & {
  readonly name: string;
  readonly namespace: string;
  readonly annotationSelector: string;
  readonly labelSelector: string;
};

export const EVERYTHING: Selector = {
  group: '',
  version: '',
  kind: '',
  name: '',
  namespace: '',
  annotationSelector: '',
  labelSelector: '',
};

/** A selector made ready. */
export class CompiledSelector {
  readonly selector: Selector;
  readonly #group: TextMatcher;
  readonly #version: TextMatcher;
  readonly #kind: TextMatcher;
  readonly #name: TextMatcher;
  readonly #namespace: TextMatcher;
  readonly #labels: LabelMatcher | undefined;
  readonly #annotations: LabelMatcher | undefined;

  /** Throws when a regular expression or label selector is malformed. */
  constructor(selector: Selector) {
    this.selector = selector;
    this.#group = compileAnchored(selector.group);
    this.#version = compileAnchored(selector.version);
    this.#kind = compileAnchored(selector.kind);
    this.#name = compileAnchored(selector.name);
    this.#namespace = compileAnchored(selector.namespace);
    this.#labels = selector.labelSelector === '' ? undefined : parseLabelSelector(selector.labelSelector);
    this.#annotations = selector.annotationSelector === '' ? undefined : parseLabelSelector(selector.annotationSelector);
  }

  matchesGvk(gvk: Gvk): boolean {
    return this.#kind(gvk.kind) && this.#version(gvk.version) && this.#group(gvk.group);
  }

  matchesName(name: string): boolean {
    return this.#name(name);
  }

  matchesNamespace(namespace: string): boolean {
    return this.#namespace(namespace);
  }

  matchesMetadata(resource: Resource): boolean {
    if (this.#labels !== undefined && !this.#labels(metaMap(resource.object, 'labels'))) return false;
    return this.#annotations === undefined || this.#annotations(metaMap(resource.object, 'annotations'));
  }

  /** True when the resource fits, by the name and namespace it has or the ones it was loaded with. */
  matches(resource: Resource): boolean {
    const { id, originalId } = resource;
    return (
      this.matchesGvk(id) &&
      (this.#name(originalId.name) || this.#name(id.name)) &&
      (this.#namespace(effectiveNamespace(originalId)) || this.#namespace(effectiveNamespace(id))) &&
      this.matchesMetadata(resource)
    );
  }
}

/** The resources a selector fits. */
export function select(resources: readonly Resource[], selector: Selector): Resource[] {
  const compiled = new CompiledSelector(selector);
  return resources.filter((resource) => compiled.matches(resource));
}

/** Go's text of a selector. */
export function formatSelector(selector: Selector): string {
  const id = formatId({ ...selector, clusterScoped: false });
  return `${id}:a=${selector.annotationSelector}:l=${selector.labelSelector}`;
}
