import { formatValue, GoMap, quote, sprintf, type GoValue } from '../../golang/index.ts';
import { helmError } from '../errors.ts';
import type { Rules } from '../profile.ts';
import { copyValues, isTable } from './copy.ts';

/** The part of a chart that decides its values. */
export interface ValuesSource {
  readonly name: string;
  readonly values: GoMap;
  readonly dependencies: readonly ValuesSource[];
}

/** Hears of values that could not be used. */
export type Warn = (message: string) => void;

/** How two tables meet: `coalesce` lets a null remove the default below it, `merge` keeps nulls. */
type Mode = 'coalesce' | 'merge';

/** The rule that Helm versions differ in. */
type NullRules = Pick<Rules, 'dropNullDefaults'>;

const GLOBAL = 'global';

/**
 * The values a chart and its subcharts see: the user's over the charts' defaults, globals passed down. Neither input is changed.
 * @throws CodedError `ValuesConflict` when a subchart's key holds no table
 */
export function coalesceValues(chart: ValuesSource, values: GoMap, rules: NullRules, warn: Warn = ignore): GoMap {
  return new Coalescer('coalesce', rules, warn).all(chart, copyValues(values), '');
}

/** Like {@link coalesceValues}, but nulls stay: what import-values is computed from. @throws CodedError `ValuesConflict` */
export function mergeValues(chart: ValuesSource, values: GoMap, rules: NullRules, warn: Warn = ignore): GoMap {
  return new Coalescer('merge', rules, warn).all(chart, copyValues(values), '');
}

/** Fills `into` with what only `from` has. Changes and returns `into`; `from` must not be used afterwards. */
export function coalesceTables(into: GoMap, from: GoMap, warn: Warn = ignore): GoMap {
  return new Coalescer('coalesce', NO_DEFAULTS, warn).tables(into, from, '');
}

/** Like {@link coalesceTables} with nulls kept. */
export function mergeTables(into: GoMap, from: GoMap, warn: Warn = ignore): GoMap {
  return new Coalescer('merge', NO_DEFAULTS, warn).tables(into, from, '');
}

function ignore(): void {
  // Nobody asked to hear warnings.
}

/** Tables alone have no defaults to drop nulls from. */
const NO_DEFAULTS: NullRules = { dropNullDefaults: false };

class Coalescer {
  readonly #mode: Mode;
  readonly #dropNulls: boolean;
  readonly #warn: Warn;

  constructor(mode: Mode, { dropNullDefaults }: NullRules, warn: Warn) {
    this.#mode = mode;
    this.#dropNulls = dropNullDefaults;
    this.#warn = warn;
  }

  all(chart: ValuesSource, into: GoMap, prefix: string): GoMap {
    this.#defaults(chart, into, prefix);
    for (const child of chart.dependencies) {
      const { name } = child;
      if (!into.has(name)) into.set(name, new GoMap());
      const table = into.get(name);
      if (!isTable(table)) throw helmError('ValuesConflict', `type mismatch on ${name}: ${sprintf('%t', [table])}`, { subject: name });
      const childPrefix = joinPath(prefix, chart.name);
      this.#globals(table, into, childPrefix);
      this.all(child, table, childPrefix);
    }
    return into;
  }

  /** The chart's own values below those already there. */
  #defaults(chart: ValuesSource, into: GoMap, prefix: string): void {
    const path = joinPath(prefix, chart.name);
    for (const [key, value] of copyValues(chart.values).entries()) {
      if (!into.has(key)) this.#adopt(into, key, value);
      else this.#meet(chart, into, key, value, path);
    }
  }

  #adopt(into: GoMap, key: string, value: GoValue): void {
    if (this.#mode === 'coalesce' && this.#dropNulls) {
      if (value === null) return;
      if (isTable(value)) dropNulls(value);
    }
    into.set(key, value);
  }

  #meet(chart: ValuesSource, into: GoMap, key: string, value: GoValue, path: string): void {
    const existing = into.get(key);
    if (existing === null && this.#mode === 'coalesce') {
      into.delete(key);
      return;
    }
    if (!isTable(existing)) return;
    if (!isTable(value)) {
      if (value !== null) this.#warn(`warning: skipped value for ${path}.${key}: Not a table.`);
      return;
    }
    // The table of a subchart keeps nulls: they are meant for the subchart's own defaults, which come later.
    const mode: Mode = chart.dependencies.some((child) => child.name === key) ? 'merge' : this.#mode;
    if (mode === 'coalesce' && this.#dropNulls) dropNulls(value);
    this.tables(existing, value, joinPath(path, key), mode);
  }

  #globals(into: GoMap, from: GoMap, prefix: string): void {
    const target = into.has(GLOBAL) ? into.get(GLOBAL) : new GoMap();
    if (!isTable(target)) return this.#warn(`warning: skipping globals because destination ${GLOBAL} is not a table.`);
    const source = from.has(GLOBAL) ? from.get(GLOBAL) : new GoMap();
    if (!isTable(source)) return this.#warn(`warning: skipping globals because source ${GLOBAL} is not a table.`);
    for (const [key, value] of source.entries()) {
      const existing = target.get(key);
      if (!isTable(value)) {
        if (isTable(existing)) this.#warn(`key ${key} is table. Skipping`);
        else target.set(key, value);
        continue;
      }
      const copy = value.clone();
      if (existing === undefined) target.set(key, copy);
      else if (!isTable(existing)) this.#warn(`Conflict: cannot merge map onto non-map for ${quote(key)}. Skipping.`);
      else {
        this.tables(copy, existing, joinPath(prefix, key), 'merge');
        target.set(key, copy);
      }
    }
    into.set(GLOBAL, target);
  }

  tables(into: GoMap, from: GoMap, prefix: string, mode: Mode = this.#mode): GoMap {
    const set = new Set<string>();
    for (const [key, value] of from.entries()) if (value !== null) set.add(key);
    for (const [key, value] of into.entries()) if (value === null) from.set(key, null);
    for (const [key, value] of from.entries()) {
      const existing = into.get(key);
      if (existing === undefined) into.set(key, value);
      else if (existing === null && mode === 'coalesce' && set.has(key)) into.delete(key);
      else if (isTable(value)) {
        if (isTable(existing)) this.tables(existing, value, joinPath(prefix, key), mode);
        else this.#warn(`warning: cannot overwrite table with non table for ${joinPath(prefix, key)} (${formatValue(value)})`);
      } else if (isTable(existing) && value !== null) {
        this.#warn(`warning: destination for ${joinPath(prefix, key)} is a table. Ignoring non-table value (${formatValue(value)})`);
      }
    }
    return into;
  }
}

function joinPath(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}

/** Removes nulls, also those in maps below. */
function dropNulls(map: GoMap): void {
  for (const [key, value] of map.entries()) {
    if (value === null) map.delete(key);
    else if (isTable(value)) dropNulls(value);
  }
}
