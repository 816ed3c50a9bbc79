import { defaultCapabilities, loadChart, parseKubeVersion, render, templateOutput, type Capabilities } from '../helm/index.ts';
import { GoMap, mapFromYaml } from '../golang/index.ts';
import type { HelmChartRequest, InflateHelmChart } from '../kustomize/index.ts';
import type { FileTree } from '../manifest/index.ts';
import { CodedError } from '../std/index.ts';

/** Renders the vendored charts of kustomizations (`helmCharts`), printing what `helm template` prints. */
export const inflateVendoredChart: InflateHelmChart = (request: HelmChartRequest): string => {
  const { chart, tree, path, vendored, values } = request;
  if (!vendored) {
    throw new CodedError({
      code: 'ChartMissing',
      message: `inflate chart ${JSON.stringify(chart.name)}: there is no folder ${JSON.stringify(`/${path}`)}`,
      subject: chart.name ?? '',
      remedy: `vendor it: helm pull --untar --untardir charts ${chart.name ?? ''}`,
      retryable: false,
    });
  }
  const merged = new GoMap();
  for (const each of values) for (const [key, value] of mapFromYaml(each).entries()) merged.set(key, value);
  const rendered = render(loadChart(below(tree, path)), {
    release: { name: chart.releaseName ?? 'release-name', namespace: chart.namespace ?? 'default', isUpgrade: false },
    values: merged,
    capabilities: capabilitiesOf(chart.kubeVersion, chart.apiVersions ?? []),
  });
  return templateOutput(rendered, {
    includeCrds: chart.includeCRDs === true,
    noHooks: chart.skipHooks === true,
    skipTests: chart.skipTests === true,
    showOnly: [],
    profile: '4.2',
  });
};

function capabilitiesOf(kubeVersion: string | undefined, apiVersions: readonly string[]): Capabilities {
  return {
    ...defaultCapabilities,
    ...(kubeVersion === undefined || kubeVersion === '' ? {} : { kubeVersion: parseKubeVersion(kubeVersion) }),
    apiVersions: [...defaultCapabilities.apiVersions, ...apiVersions],
  };
}

function below(tree: FileTree, folder: string): FileTree {
  const at = (path: string): string => (path === '' ? folder : `${folder}/${path}`);
  return { read: (path) => tree.read(at(path)), list: (path) => tree.list(at(path)) };
}
