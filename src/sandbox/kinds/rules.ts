import type { KubeObject } from '../../manifest/index.ts';
import type { FieldFault } from '../request/status.ts';
import type { Store } from '../storage/store.ts';

/** A JSON object that is being shaped; only defaulting and preparing write to one. */
export type Draft = KubeObject & { spec?: Draft0; status?: Draft0 };
export type Draft0 = Record<string, unknown>;

/** What a kind does beyond its schema. All parts are optional. */
export type KindRules = {
  /** Fills in what the user left out. Changes `object` in place. */
  defaults?: (object: Draft) => void;
  /** What else happens when an object is created (allocations, initial status). Changes `object` in place. */
  prepareCreate?: (object: Draft, store: Store) => void;
  /** What an update may not touch is put back. Changes `object` in place. */
  prepareUpdate?: (object: Draft, old: KubeObject, store: Store) => void;
  /** Faults of an object; `old` is there for an update. */
  validate?: (object: KubeObject, old: KubeObject | undefined) => FieldFault[];
  /** Faults of an object whose status was written. */
  validateStatus?: (object: KubeObject) => FieldFault[];
  /** True when an update moves `metadata.generation`. Default: spec changed. */
  hasGeneration?: boolean;
  /** How names are checked. Default `subdomain`. */
  names?: 'subdomain' | 'label' | 'path' | 'label-1035';
};
