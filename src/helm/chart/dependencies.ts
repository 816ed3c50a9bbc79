import { formatValue, fromYamlValue, GoMap, isYamlObject } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import { helmError } from '../errors.ts';
import { coalesceValues, mergeTables, mergeValues, type Warn } from '../values/coalesce.ts';
import { copyValues } from '../values/copy.ts';
import { scalarAt, tableAt } from '../values/table.ts';
import type { Rules } from '../profile.ts';
import type { Dependency } from './chart.ts';
import { isInRange } from './version-range.ts';
import { copyMetadata, type ChartNode } from './node.ts';

/**
 * Applies what Chart.yaml says about dependencies: drops those that tags and conditions switch off, renames aliased ones, and takes in
 * import-values. Changes the tree.
 * @throws CodedError `DependencyFailed`
 */
export function processDependencies(root: ChartNode, values: GoMap, rules: Rules, warn: Warn): void {
  try {
    enableDependencies(root, values, '', rules, warn);
    importAllValues(root, rules, warn);
  } catch (error) {
    const prefix = rules.isHelm4 ? 'chart dependencies processing failed: ' : '';
    throw helmError('DependencyFailed', prefix + errorMessage(error), { cause: error });
  }
}

/** Dependencies of Chart.yaml that are not under charts/. */
export function missingDependencies(root: ChartNode): string[] {
  const present = new Set(root.dependencies.map((node) => node.name));
  return (root.metadata.dependencies ?? []).filter(({ name }) => !present.has(name)).map(({ name }) => name);
}

function enableDependencies(node: ChartNode, values: GoMap, path: string, rules: Rules, warn: Warn): void {
  const declared = node.metadata.dependencies;
  if (declared === undefined) return;
  const nodes = node.dependencies.filter((existing) => !declared.some((dependency) => isMeant(existing, dependency)));
  for (const dependency of declared) {
    const found = node.dependencies.find((existing) => isMeant(existing, dependency));
    if (found !== undefined) nodes.push(aliased(found, dependency, rules));
    if (dependency.alias !== '') dependency.name = dependency.alias;
  }
  node.setDependencies(nodes);
  for (const dependency of declared) dependency.enabled = true;
  const seen = coalesceValues(node, values, rules, warn);
  applyTags(declared, seen, warn);
  applyConditions(declared, seen, path, warn);
  const disabled = new Set(declared.filter(({ enabled }) => !enabled).map(({ name }) => name));
  const kept = nodes.filter(({ name }) => !disabled.has(name));
  for (const child of kept) enableDependencies(child, seen, `${path}${child.name}.`, rules, warn);
  const enabled = declared.filter(({ name }) => !disabled.has(name));
  node.metadata.dependencies = enabled.length === 0 ? undefined : enabled;
  node.setDependencies(kept);
}

function isMeant(node: ChartNode, { name, version }: Dependency): boolean {
  return node.name === name && isInRange(version, node.metadata.version);
}

/** A node of its own for a dependency, under its alias if it has one. */
function aliased(found: ChartNode, { alias }: Dependency, { isHelm4 }: Rules): ChartNode {
  const node = found.shallowCopy();
  node.metadata = isHelm4 ? copyMetadata(found.metadata) : { ...found.metadata };
  if (isHelm4) node.setDependencies(found.dependencies.map((below) => below.shallowCopy()));
  if (alias !== '') node.metadata.name = alias;
  return node;
}

function applyTags(dependencies: readonly Dependency[], values: GoMap, warn: Warn): void {
  const tags = tableAt(values, 'tags');
  if (tags === undefined) return;
  for (const dependency of dependencies) {
    const switches: boolean[] = [];
    for (const tag of dependency.tags) {
      const value = tags.get(tag);
      if (typeof value === 'boolean') switches.push(value);
      else if (value !== undefined) warn(`returned non-bool value tag=${tag} chart=${dependency.name}`);
    }
    dependency.enabled = switches.length === 0 || switches.includes(true);
  }
}

/** The first path of a condition that leads to a bool decides. */
function applyConditions(dependencies: readonly Dependency[], values: GoMap, prefix: string, warn: Warn): void {
  for (const dependency of dependencies) {
    for (const path of dependency.condition.trim().split(',')) {
      if (path === '') continue;
      const value = scalarAt(values, prefix + path);
      if (typeof value === 'boolean') {
        dependency.enabled = value;
        break;
      }
      if (value !== undefined) warn(`returned non-bool value path=${path} chart=${dependency.name}`);
    }
  }
}

function importAllValues(node: ChartNode, rules: Rules, warn: Warn): void {
  for (const child of node.dependencies) importAllValues(child, rules, warn);
  importValues(node, rules, warn);
}

/** Gives a chart the parts of its children's values that it imports; its own values win. */
function importValues(node: ChartNode, rules: Rules, warn: Warn): void {
  const { dependencies } = node.metadata;
  if (dependencies === undefined) return;
  const values = mergeValues(node, new GoMap(), rules, warn);
  let imported = new GoMap();
  for (const dependency of dependencies) {
    const imports = dependency.importValues.flatMap((item) => parseImport(item) ?? []);
    for (const { child, parent } of imports) {
      const table = tableAt(values, `${dependency.name}.${child}`);
      if (table === undefined) warn(`ImportValues missing table from chart chart=${dependency.name} table=${child}`);
      else imported = mergeTables(imported, nest(parent, table), warn);
    }
    dependency.importValues = imports;
    for (const item of imports) done.add(item);
  }
  node.values = mergeTables(copyValues(values), imported, warn);
}

/** Imports that were taken in already. Another alias that shares them gets nothing (Helm 3). */
const done = new WeakSet<object>();

function parseImport(item: Dependency['importValues'][number]): { child: string; parent: string } | undefined {
  if (typeof item === 'string') return { child: `exports.${item}`, parent: '.' };
  if (!isYamlObject(item) || done.has(item)) return undefined;
  const text = (name: string): string => formatValue(fromYamlValue(Object.hasOwn(item, name) ? (item[name] ?? null) : null));
  return { child: text('child'), parent: text('parent') };
}

/** The table as it looks from the top, at a dotted path below it. */
function nest(path: string, table: GoMap): GoMap {
  if (path === '.') return table;
  return path.split('.').reduceRight((inner, name) => new GoMap(undefined, new Map([[name, inner]])), table);
}
