import type { Clock } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { apiVersionOf, type ServedKind } from '../catalog/kind.ts';
import { convert, type Draft } from '../kinds/index.ts';
import type { Store } from '../storage/store.ts';
import type { KindSchema } from './kind-schema.ts';
import type { WriteOptions } from './write-options.ts';

/** Looks at an object about to be stored and may change or refuse it (admission). */
export type Admission = (draft: Draft, old: KubeObject | undefined, kind: ServedKind) => void;

/** What writing objects needs. */
export type ObjectsDeps = {
  store: Store;
  clock: Clock;
  schemaOf: (kind: ServedKind) => KindSchema;
  admit: Admission;
  random: () => number;
};

/** A write to an object as it was before; `old` is undefined for a new one. */
export type Write<Old = KubeObject | undefined> = { kind: ServedKind; old: Old; options: WriteOptions };

/** A stored object in the version of `kind`. */
export function presentObject(kind: ServedKind, object: KubeObject): KubeObject {
  const apiVersion = apiVersionOf(kind);
  return object.apiVersion === apiVersion ? object : convert(object, apiVersion);
}

/** The time as the API writes it. */
export function now({ clock }: { clock: Clock }): string {
  return `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
}
