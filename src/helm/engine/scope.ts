import { compareText, GoMap, goMap, type GoValue } from '../../golang/index.ts';
import type { ChartNode } from '../chart/node.ts';
import type { Rules } from '../profile.ts';
import { filesObject } from './files.ts';
import { chartMap, chartStruct } from './objects.ts';
import { valuesType, valuesTypeHelm3 } from './values-type.ts';

/** A template file and what it sees as `.`. */
export type ScopedTemplate = {
  /** `chart/templates/file.yaml`, subcharts as `chart/charts/sub/templates/…`. */
  readonly path: string;
  readonly text: string;
  /** The top-level object, shared by all templates of its chart. */
  readonly dot: GoMap;
  readonly basePath: string;
};

/** The values of the whole release: what the root chart's `.` is made of. */
export type RootScope = { readonly values: GoMap; readonly release: GoMap; readonly capabilities: GoValue };

/** Every template of a chart and its subcharts. `values` must be a render's own: templates may change them. */
export function scopedTemplates(root: ChartNode, scope: RootScope, rules: Rules): ScopedTemplate[] {
  const templates = new Map<string, ScopedTemplate>();
  addTemplates(root, scope, scope.values, rules, templates);
  return [...templates.values()].sort((a, b) => comparePaths(b.path, a.path));
}

function addTemplates(node: ChartNode, scope: RootScope, values: GoMap, rules: Rules, out: Map<string, ScopedTemplate>): GoMap {
  const type = rules.isHelm4 ? valuesType : valuesTypeHelm3;
  const isRoot = node.parent === undefined;
  const subcharts = new GoMap();
  const dot = goMap([
    ['Chart', rules.isHelm4 ? chartMap(node.metadata, isRoot) : chartStruct(node.metadata, isRoot)],
    ['Files', filesObject(node.files, rules)],
    ['Release', scope.release],
    ['Capabilities', scope.capabilities],
    ['Values', values.as(type)],
    ['Subcharts', subcharts],
  ]);
  for (const child of node.dependencies) {
    const below = values.get(child.name);
    subcharts.set(child.name, addTemplates(child, scope, below instanceof GoMap ? below : new GoMap(), rules, out));
  }
  const { fullPath } = node;
  for (const { name, text } of node.templates) {
    if (node.isLibrary && !baseName(name).startsWith('_')) continue;
    const path = `${fullPath}/${name}`;
    out.set(path, { path, text, dot: dot.as(type), basePath: `${fullPath}/templates` });
  }
  return dot;
}

/** `.Template` of a file, set right before it is rendered. */
export function templateObject({ path, basePath }: ScopedTemplate, rules: Rules): GoMap {
  return new GoMap(
    rules.isHelm4 ? valuesType : valuesTypeHelm3,
    new Map<string, GoValue>([
      ['Name', path],
      ['BasePath', basePath],
    ]),
  );
}

/** By number of slashes, then bytes. Files are parsed and rendered from the greatest to the smallest. */
function comparePaths(a: string, b: string): number {
  const depth = slashes(a) - slashes(b);
  if (depth !== 0) return depth;
  return compareText(a, b);
}

function slashes(path: string): number {
  let count = 0;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) count += 1;
  return count;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
