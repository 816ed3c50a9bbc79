import type { YamlObject } from '../golang/index.ts';
import type { FileTree } from '../manifest/index.ts';
import type { ComposeLimits } from './compose.ts';
import type { HelmChartFields } from './kustomization.ts';
import type { Scopes } from './scopes.ts';

/** Something a user should know about a build that succeeded. */
export type Diagnostic = {
  severity: 'warning';
  /** What it is about, to filter by. */
  code: 'DeprecatedField' | 'UnusedVar' | 'SortOrderOverridden';
  message: string;
  /** The kustomization file, as a path of the tree. */
  file?: string;
};

/** A Helm chart of a kustomization, with everything resolved that kustomize resolves. */
export type HelmChartRequest = {
  readonly chart: HelmChartFields;
  /** The tree, and the folder in it that holds the chart, if it is vendored. */
  readonly tree: FileTree;
  readonly path: string;
  /** Whether there is such a folder; otherwise the chart has to be pulled from `chart.repo`. */
  readonly vendored: boolean;
  /** The values to render with: the file's and the inline ones merged as `valuesMerge` says; later files override. */
  readonly values: readonly YamlObject[];
};

/** Renders a chart: the text `helm template` prints. Throws a CodedError. */
export type InflateHelmChart = (request: HelmChartRequest) => string;

/** Budgets of a build; crossing one throws LimitExceeded. */
export type BuildLimits = ComposeLimits & {
  /** Resources in one build. */
  maxResources: number;
  /** Kustomizations read in one build. */
  maxKustomizations: number;
  /** Bases inside bases. */
  maxBaseDepth: number;
  /** Bytes of files read in one build. */
  maxBytes: number;
};

/** What the parts of one build share. */
export type BuildContext = {
  readonly limits: BuildLimits;
  readonly scopes: Scopes;
  readonly diagnostics: Diagnostic[];
  readonly inflateHelmChart: InflateHelmChart | undefined;
};
