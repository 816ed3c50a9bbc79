import { GoMap, type GoValue } from '../../golang/index.ts';

/** The map a dotted path leads to; undefined when something on the way is no map. */
export function tableAt(values: GoMap, path: string): GoMap | undefined {
  let table = values;
  for (const name of path.split('.')) {
    const next = table.get(name);
    if (!(next instanceof GoMap)) return undefined;
    table = next;
  }
  return table;
}

/** The value a dotted path leads to, unless it is a map; undefined when there is none. */
export function scalarAt(values: GoMap, path: string): GoValue {
  const dot = path.lastIndexOf('.');
  const table = dot < 0 ? values : tableAt(values, path.slice(0, dot));
  const value = table?.get(dot < 0 ? path : path.slice(dot + 1));
  return value instanceof GoMap ? undefined : value;
}
