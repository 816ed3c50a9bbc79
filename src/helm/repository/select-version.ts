import { checkConstraint, parseConstraint, parseVersion, quote, type Constraint } from '../../golang/index.ts';
import { isCodedError } from '../../std/index.ts';
import type { ChartVersion, RepositoryIndex } from './index-file.ts';

/** What was picked, and what the user should know about it. */
export type Selected = { readonly chart: ChartVersion; readonly warning?: string };

/**
 * The version of a chart a user asked for: the very text, else the newest in the range. Without a version the newest that is no pre-release;
 * a range takes pre-releases only when it names one.
 * @returns undefined when there is none
 */
export function selectVersion(index: RepositoryIndex, name: string, version: string): Selected | undefined {
  const versions = index.charts.get(name) ?? [];
  const constraint = readConstraint(version === '' ? '*' : version);
  if (constraint === undefined) return undefined;
  const exact = version === '' ? undefined : versions.find(({ metadata }) => metadata.version === version);
  if (exact !== undefined) return { chart: exact };
  const chart = versions.find(({ metadata }) => checkConstraint(constraint, parseVersion(metadata.version)));
  if (chart === undefined) return undefined;
  if (version === '' || isRange(version)) return { chart };
  const warning = `unable to find exact version requested; falling back to closest available version: chart ${name}, requested ${quote(version)}, selected ${chart.metadata.version}`;
  return { chart, warning };
}

function readConstraint(text: string): Constraint | undefined {
  try {
    return parseConstraint(text);
  } catch (error) {
    if (isCodedError(error, 'GoError')) return undefined;
    throw error;
  }
}

/** True for `^1`, `1.x` and the like; false for text that names one version, be it a short one. */
function isRange(version: string): boolean {
  if (/[\^~<>=!*]|\|\|| - /.test(version)) return true;
  return /[xX]/.test(version.replace(/[-+].*$/s, ''));
}
