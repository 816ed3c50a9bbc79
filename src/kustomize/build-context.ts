import type { YamlObject } from '../golang/index.ts';
import type { FileTree } from '../manifest/index.ts';
import { DEFAULT_COMPOSE_LIMITS, type ComposeLimits } from './compose.ts';
import { KustomizeError } from './errors.ts';
import type { HelmChartFields } from './kustomization.ts';
import type { Schemas } from './schemas.ts';

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
  /** Bytes of files read in one build; a file that is read again counts again. */
  maxBytes: number;
  /** Resources looked at by all steps together. */
  maxVisits: number;
  /** Weight (see `weightOf`) of what labels, patches, replacements and vars put into resources. */
  maxGrowth: number;
};

/** The budgets of a build that was given none. */
export const DEFAULT_BUILD_LIMITS: BuildLimits = {
  ...DEFAULT_COMPOSE_LIMITS,
  maxResources: 100_000,
  maxKustomizations: 20_000,
  maxBaseDepth: 100,
  maxBytes: 512 * 1024 * 1024,
  maxVisits: 100_000_000,
  maxGrowth: 10_000_000,
};

/** What is counted against {@link BuildLimits}. */
type Counted = 'resources' | 'kustomizations' | 'bytes' | 'visits' | 'growth';

const COUNTED: Readonly<Record<Counted, { limit: keyof BuildLimits; name: string }>> = {
  resources: { limit: 'maxResources', name: 'number of resources' },
  kustomizations: { limit: 'maxKustomizations', name: 'number of kustomizations' },
  bytes: { limit: 'maxBytes', name: 'size of the files read in bytes' },
  visits: { limit: 'maxVisits', name: 'number of changes' },
  growth: { limit: 'maxGrowth', name: 'size of all changes in values' },
};

/** Counts what is put into resources before it is; throws when it is too much. */
export type Spend = (weight: number) => void;

/** What the parts of one build share. */
export class BuildContext {
  readonly limits: BuildLimits;
  readonly schemas: Schemas;
  readonly diagnostics: Diagnostic[] = [];
  readonly inflateHelmChart: InflateHelmChart | undefined;
  readonly #counts: Record<Counted, number> = { resources: 0, kustomizations: 0, bytes: 0, visits: 0, growth: 0 };

  constructor(limits: BuildLimits, inflateHelmChart: InflateHelmChart | undefined, schemas: Schemas) {
    this.limits = limits;
    this.inflateHelmChart = inflateHelmChart;
    this.schemas = schemas;
  }

  /** {@link count} of growth. */
  readonly spend: Spend = (weight) => this.count('growth', weight);

  /** Counts against a budget of the build; throws when it is crossed. */
  count(what: Counted, by: number): void {
    this.#counts[what] += by;
    const { limit, name } = COUNTED[what];
    if (this.#counts[what] > this.limits[limit]) {
      throw new KustomizeError('LimitExceeded', `build kustomization: ${name} exceeds ${this.limits[limit]}`, { subject: name });
    }
  }
}
