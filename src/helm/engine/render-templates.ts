import type { GoMap, GoValue } from '../../golang/index.ts';
import { Budget, TemplateCache, TemplateError, TemplateSet, type FunctionTable, type Limits } from '../../gotemplate/index.ts';
import { Lru } from '../../std/index.ts';
import type { Chart } from '../chart/chart.ts';
import type { ChartNode } from '../chart/node.ts';
import type { Rules } from '../profile.ts';
import { scopedTemplates, templateObject, type ScopedTemplate } from './scope.ts';
import { parseFailure, renderFailure } from './template-error.ts';
import { beginRender, withoutNoValue, type Lookup } from './template-functions.ts';

/** Parsed templates of all charts; the same text is parsed once, whichever chart it is in. */
const cache = new TemplateCache();

/** Template sets ready to execute, by chart and function table. */
const sets = new WeakMap<FunctionTable, WeakMap<Chart, Lru<string, TemplateSet>>>();
/** Sets kept for one chart: one for each combination of dependencies switched on. */
const SETS_PER_CHART = 8;

export type TemplateRun = {
  readonly values: GoMap;
  readonly release: GoMap;
  readonly capabilities: GoValue;
  readonly functions: FunctionTable;
  readonly lookup: Lookup | undefined;
  readonly limits: Partial<Limits>;
  readonly rules: Rules;
};

/**
 * Renders every template of a chart and its subcharts; partials (`_*`) are parsed only.
 * @returns texts by path, in the order they were rendered
 * @throws CodedError `TemplateInvalid`, `RenderFailed`, `BudgetExceeded`
 */
export function renderTemplates(root: ChartNode, run: TemplateRun): Map<string, string> {
  const templates = scopedTemplates(root, run, run.rules);
  const budget = new Budget(run.limits);
  beginRender(budget, { lookup: run.lookup, included: new Map() });
  const set = templateSet(root.chart, templates, run.functions).clone();
  const rendered = new Map<string, string>();
  let size = 0;
  for (const template of templates) {
    if (isPartial(template.path)) continue;
    template.dot.set('Template', templateObject(template, run.rules));
    const text = execute(set, template, budget, run.rules);
    size += text.length;
    budget.checkOutput(size);
    rendered.set(template.path, text);
  }
  return rendered;
}

function execute(set: TemplateSet, { path, dot }: ScopedTemplate, budget: Budget, rules: Rules): string {
  try {
    return withoutNoValue(set.execute(path, dot, budget));
  } catch (error) {
    throw error instanceof TemplateError ? renderFailure(path, error, rules) : error;
  }
}

function templateSet(chart: Chart, templates: readonly ScopedTemplate[], functions: FunctionTable): TemplateSet {
  let byChart = sets.get(functions);
  if (byChart === undefined) sets.set(functions, (byChart = new WeakMap()));
  let known = byChart.get(chart);
  if (known === undefined) byChart.set(chart, (known = new Lru(SETS_PER_CHART)));
  // Texts belong to the paths of a chart, except that two subcharts may take turns under one alias: lengths tell those apart.
  const key = templates.map(({ path, text }) => `${path}\0${text.length}`).join('\0');
  let set = known.get(key);
  if (set === undefined) {
    set = parseAll(templates, functions);
    known.set(key, set);
  }
  return set;
}

function parseAll(templates: readonly ScopedTemplate[], functions: FunctionTable): TemplateSet {
  const set = new TemplateSet({ name: 'gotpl', functions, missingKey: 'zero', cache });
  for (const { path, text } of templates) {
    try {
      set.parse(path, text);
    } catch (error) {
      throw error instanceof TemplateError ? parseFailure(path, error) : error;
    }
  }
  return set;
}

function isPartial(path: string): boolean {
  return path.startsWith('_', path.lastIndexOf('/') + 1);
}
