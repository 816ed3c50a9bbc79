import type { BuildContext } from '../build-context.ts';
import type { Kustomization } from '../kustomization.ts';
import type { Loader } from '../loader.ts';
import { configure, type GenerateStep } from '../step.ts';
import { generateConfigMap, generateSecret, mergeOptions } from './config-maps.ts';
import { prepareHelmChart } from './helm-chart.ts';

/** The builtin generators a kustomization asks for, in kustomize's order. `namespace` is for charts that are told none. */
export function builtinGenerators(kustomization: Kustomization, loader: Loader, context: BuildContext, namespace: string): GenerateStep[] {
  const { generatorOptions } = kustomization;
  const steps: GenerateStep[] = [];
  for (const args of kustomization.configMapGenerator ?? []) {
    const options = mergeOptions(args.options, generatorOptions);
    const merged = options === undefined ? args : { ...args, options };
    steps.push({ kind: 'ConfigMapGenerator', generate: () => [generateConfigMap(merged, loader, context)] });
  }
  for (const args of kustomization.secretGenerator ?? []) {
    const options = mergeOptions(args.options, generatorOptions);
    const merged = options === undefined ? args : { ...args, options };
    steps.push({ kind: 'SecretGenerator', generate: () => [generateSecret(merged, loader, context)] });
  }
  for (const chart of kustomization.helmCharts ?? []) {
    const kind = 'HelmChartInflationGenerator';
    const fields = { ...kustomization.helmGlobals, ...chart };
    if (namespace !== '' && (chart.namespace ?? '') === '') fields.namespace = namespace;
    steps.push({ kind, generate: configure(kind, fields, () => prepareHelmChart(fields, loader, context)) });
  }
  return steps;
}
