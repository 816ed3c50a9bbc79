import type { Capabilities } from '../../helm/index.ts';
import type { KubeObject } from '../../manifest/index.ts';

type Definition = {
  group?: unknown;
  names?: { kind?: unknown };
  versions?: readonly { name?: unknown; served?: unknown }[];
};

/** A kind a definition declares, as `Capabilities.APIVersions` names it: `GROUP/VERSION/KIND`. */
export type OwnKind = string;

/** The kinds these definitions declare; objects of other kinds declare none. */
export function kindsOf(definitions: readonly KubeObject[]): OwnKind[] {
  return definitions
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .flatMap(({ spec }) => {
      const { group, names, versions } = (spec ?? {}) as Definition;
      if (!Array.isArray(versions)) return [];
      return (versions as NonNullable<Definition['versions']>)
        .filter(({ served }) => served === true)
        .map(({ name }) => `${String(group)}/${String(name)}/${String(names?.kind)}`);
    });
}

/** Those of the kinds that are not served yet. */
export function unserved(kinds: readonly OwnKind[], { apiVersions }: Capabilities): OwnKind[] {
  const served = new Set(apiVersions);
  return kinds.filter((kind) => !served.has(kind));
}

/** Capabilities of a cluster that serves these kinds, too. */
export function serving(kinds: readonly OwnKind[], capabilities: Capabilities): Capabilities {
  if (kinds.length === 0) return capabilities;
  const more = kinds.flatMap((kind) => [kind.slice(0, kind.lastIndexOf('/')), kind]);
  return { ...capabilities, apiVersions: [...new Set([...capabilities.apiVersions, ...more])] };
}
