import { bytesToText, type GoMap, type YamlValue } from '../../golang/index.ts';

/** A file of a chart; names are relative to the chart's root. */
export class ChartFile {
  readonly name: string;
  readonly data: Uint8Array;
  #text: string | undefined;

  constructor(name: string, data: Uint8Array) {
    this.name = name;
    this.data = data;
  }

  /** The content as text (bytes outside UTF-8 kept, see golang/text.ts). */
  get text(): string {
    this.#text ??= bytesToText(this.data);
    return this.#text;
  }
}

export type Maintainer = { name: string; email: string; url: string };

/** A chart this one depends on, as Chart.yaml declares it. */
export type Dependency = {
  name: string;
  version: string;
  repository: string;
  condition: string;
  tags: string[];
  enabled: boolean;
  importValues: YamlValue[];
  alias: string;
};

/** Chart.yaml; what is absent is empty. */
export type ChartMetadata = {
  name: string;
  home: string;
  sources: string[];
  version: string;
  description: string;
  keywords: string[];
  maintainers: Maintainer[];
  icon: string;
  apiVersion: string;
  condition: string;
  tags: string;
  appVersion: string;
  deprecated: boolean;
  /** Undefined when Chart.yaml has none. */
  annotations: Record<string, string> | undefined;
  kubeVersion: string;
  /** Undefined when Chart.yaml has none: then not even those of subcharts are processed. */
  dependencies: Dependency[] | undefined;
  type: string;
};

/** Chart.lock (requirements.lock of v1 charts). */
export type ChartLock = { generated: string; digest: string; dependencies: Dependency[] };

/** A chart as it was published. Never changed after loading: a render works on its own copies. */
export type Chart = {
  readonly metadata: Readonly<ChartMetadata>;
  readonly lock: Readonly<ChartLock> | undefined;
  /** Files under templates/, in load order. */
  readonly templates: readonly ChartFile[];
  /** values.yaml. Do not change: copy (see values/copy.ts). */
  readonly values: GoMap;
  /** Whether there is a values.yaml. */
  readonly hasValues: boolean;
  readonly schema: ChartFile | undefined;
  /** Everything else a template may read, crds/ included. */
  readonly files: readonly ChartFile[];
  /** Every file, for packing. */
  readonly raw: readonly ChartFile[];
  /** The charts under charts/, as they were found there. */
  readonly dependencies: readonly Chart[];
  /** What a user should know, such as a requirements.yaml in a v2 chart. */
  readonly warnings: readonly string[];
};
