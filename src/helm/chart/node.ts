import type { GoMap } from '../../golang/index.ts';
import type { Chart, ChartFile, ChartMetadata } from './chart.ts';

/** A chart inside one render: dependencies are switched on and off, renamed and given values here, never in the loaded chart. */
export class ChartNode {
  readonly chart: Chart;
  metadata: ChartMetadata;
  values: GoMap;
  dependencies: readonly ChartNode[] = [];
  parent: ChartNode | undefined;

  constructor(chart: Chart, metadata: ChartMetadata, values: GoMap) {
    this.chart = chart;
    this.metadata = metadata;
    this.values = values;
  }

  get name(): string {
    return this.metadata.name;
  }

  get isLibrary(): boolean {
    return this.metadata.type.toLowerCase() === 'library';
  }

  get templates(): readonly ChartFile[] {
    return this.chart.templates;
  }

  get files(): readonly ChartFile[] {
    return this.chart.files;
  }

  /** `parent/charts/child`: where the chart's templates and files appear to be. */
  get fullPath(): string {
    return this.parent === undefined ? this.name : `${this.parent.fullPath}/charts/${this.name}`;
  }

  setDependencies(dependencies: readonly ChartNode[]): void {
    for (const dependency of dependencies) dependency.parent = this;
    this.dependencies = dependencies;
  }

  /** Another node for the same chart; metadata and the nodes below are shared until they are replaced. */
  shallowCopy(): ChartNode {
    const copy = new ChartNode(this.chart, this.metadata, this.values);
    copy.dependencies = this.dependencies;
    return copy;
  }
}

/** The tree of nodes of a loaded chart, before any dependency is processed. */
export function chartTree(chart: Chart): ChartNode {
  const node = new ChartNode(chart, copyMetadata(chart.metadata), chart.values);
  node.setDependencies(chart.dependencies.map(chartTree));
  return node;
}

/** A copy whose dependencies can be changed. */
export function copyMetadata(metadata: Readonly<ChartMetadata>): ChartMetadata {
  return { ...metadata, dependencies: metadata.dependencies?.map((dependency) => ({ ...dependency })) };
}
