import {
  anyMapType,
  anyType,
  GoError,
  GoMap,
  namedType,
  quote,
  stringType,
  toYamlValue,
  writeYaml,
  type GoMethod,
  type GoType,
  type GoValue,
} from '../../golang/index.ts';

/** The type of `.Values` and `.Template`: a map with methods. Functions that want a plain map tell the difference. */
export const valuesType: GoType = namedType('common.Values', anyMapType, valuesMethods());
/** The same in Helm 3. */
export const valuesTypeHelm3: GoType = namedType('chartutil.Values', anyMapType, valuesMethods());

function valuesMethods(): Readonly<Record<string, GoMethod>> {
  const table = (values: GoValue, path: string): GoMap => {
    let at = asMap(values);
    for (const part of path.split('.')) {
      const next = at.get(part);
      if (!(next instanceof GoMap)) throw new GoError(`${quote(part)} is not a table`);
      at = next;
    }
    return at.as(asMap(values).type);
  };
  return {
    YAML: { params: [], result: stringType, call: (values) => writeYaml(toYamlValue(values)) },
    Table: { params: [stringType], result: anyMapType, call: (values, [path]) => table(values, String(path)) },
    AsMap: { params: [], result: anyMapType, call: (values) => asMap(values).as(anyMapType) },
    PathValue: {
      params: [stringType],
      result: anyType,
      call: (values, [path]) => pathValue(values, String(path), table),
    },
  };
}

function pathValue(values: GoValue, path: string, table: (values: GoValue, path: string) => GoMap): GoValue {
  if (path === '') throw new GoError('YAML path cannot be empty');
  const dot = path.lastIndexOf('.');
  const key = path.slice(dot + 1);
  const missing = (): GoError => new GoError(`${quote(key)} is not a value`);
  let at: GoMap;
  try {
    at = dot < 0 ? asMap(values) : table(values, path.slice(0, dot));
  } catch (error) {
    throw error instanceof GoError ? missing() : error;
  }
  const value = at.get(key);
  if (value === undefined || value instanceof GoMap) throw missing();
  return value;
}

function asMap(value: GoValue): GoMap {
  return value instanceof GoMap ? value : new GoMap();
}
