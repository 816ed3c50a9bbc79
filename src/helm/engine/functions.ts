import { stringType } from '../../golang/index.ts';
import { FunctionTable, sprigFunctions, type Providers, type TemplateFunction } from '../../gotemplate/index.ts';
import type { Rules } from '../profile.ts';
import { templateFunctions } from './template-functions.ts';
import { mustTomlFunctions, tomlFunctions } from './toml-functions.ts';
import { mustYamlFunctions, yamlFunctions } from './yaml-functions.ts';

const tables = new WeakMap<Providers, Map<string, FunctionTable>>();

/** Without a cluster's DNS, names resolve to nothing. */
const noAddress: TemplateFunction = { params: [stringType], result: stringType, call: () => '' };

/** Sprig's functions with Helm's over them. The table is kept as long as its providers are. */
export function helmFunctions(providers: Providers, { mustFunctions }: Rules, enableDns: boolean): FunctionTable {
  let known = tables.get(providers);
  if (known === undefined) tables.set(providers, (known = new Map()));
  const key = `${mustFunctions} ${enableDns}`;
  let table = known.get(key);
  if (table === undefined) {
    const functions = new Map<string, TemplateFunction>(sprigFunctions(providers));
    for (const [name, fn] of [...yamlFunctions, ...tomlFunctions, ...templateFunctions]) functions.set(name, fn);
    if (mustFunctions) for (const [name, fn] of [...mustYamlFunctions, ...mustTomlFunctions]) functions.set(name, fn);
    if (!enableDns) functions.set('getHostByName', noAddress);
    table = FunctionTable.of(functions);
    known.set(key, table);
  }
  return table;
}
