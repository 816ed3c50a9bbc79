/*
 * Templates as Helm 4.2 executes them: the engine, its functions and its errors. The chart, release and files are those the facts
 * were recorded with (the corpus's README).
 */
import { bytesToText, mapFromYaml, type YamlObject } from '../../../src/golang/index.ts';
import { defaultProviders } from '../../../src/gotemplate/index.ts';
import { chartTree } from '../../../src/helm/chart/node.ts';
import { helmFunctions } from '../../../src/helm/engine/functions.ts';
import { capabilitiesObject, releaseObject } from '../../../src/helm/engine/objects.ts';
import { renderTemplates } from '../../../src/helm/engine/render-templates.ts';
import { ChartFile, defaultCapabilities, loadChart } from '../../../src/helm/index.ts';
import { rulesOf } from '../../../src/helm/profile.ts';
import { coalesceValues } from '../../../src/helm/values/coalesce.ts';
import { memoryTree } from '../../../src/manifest/index.ts';
import { isCodedError } from '../../../src/std/index.ts';
import { bytes, checkEach, differences, text, type Fact, type Suite } from './suite.ts';

const chartFiles = {
  'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.2.3\nappVersion: "4.5"\n',
  'a.txt': 'alpha\nbeta\n',
  'conf/x.ini': 'k=v\n',
  'conf/y.bin': Uint8Array.of(0, 1, 255),
};
const chart = loadChart(memoryTree(chartFiles));
const file = 'c/templates/t.yaml';
const rules = rulesOf('4.2');
const functions = helmFunctions(defaultProviders, rules, false);

/** Checks what a template renders, or how it fails. */
export const suite: Suite = (facts) =>
  checkEach(facts, (fact) => differences(render(fact), { output: bytes(fact, 'output', bytesToText), error: fact['error'] }));

function render(fact: Fact): { output?: string | undefined; error?: string } {
  // Added after loading, which would take off a byte order mark.
  const template = new ChartFile('templates/t.yaml', Buffer.from(text(fact, 'template')));
  const root = chartTree({ ...chart, templates: [template] });
  const userValues = mapFromYaml(fact['values'] as YamlObject);
  try {
    const values = coalesceValues(root, userValues, rules, () => undefined);
    const release = releaseObject({ name: 'r', namespace: 'ns' });
    const capabilities = capabilitiesObject(defaultCapabilities);
    return { output: renderTemplates(root, { values, release, capabilities, functions, lookup: undefined, limits: {}, rules }).get(file) };
  } catch (error) {
    if (isCodedError(error)) return { error: error.message };
    throw error;
  }
}
