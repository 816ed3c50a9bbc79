import { createHash } from 'node:crypto';
import type { HelmRelease } from '../../api/index.ts';
import { milliseconds, minutes, parseDuration, seconds, type Duration } from '../../std/index.ts';

const RELEASE_NAME_LIMIT = 53;
const SHORT_HASH = 12;
/** spec.timeout when left out. */
const DEFAULT_TIMEOUT: Duration = minutes(5);
/** spec.maxHistory when left out, and how many snapshots are kept at most where nothing else says. */
export const DEFAULT_HISTORY = 5;
/** strategy.retryInterval when left out. */
const DEFAULT_RETRY_INTERVAL: Duration = minutes(5);

/** Actions that have a timeout of their own. */
export type TimedAction = 'install' | 'upgrade' | 'rollback' | 'uninstall' | 'test';

/** Name of the release (HB08): `releaseName` or `[targetNamespace-]name`; a longer one is cut and gets a hash. */
export function releaseName({ spec, metadata }: HelmRelease): string {
  const { targetNamespace } = spec;
  return shortenName(spec.releaseName ?? (targetNamespace === undefined ? metadata.name : `${targetNamespace}-${metadata.name}`));
}

function shortenName(name: string): string {
  if (name.length <= RELEASE_NAME_LIMIT) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, SHORT_HASH);
  return `${name.slice(0, RELEASE_NAME_LIMIT - SHORT_HASH - 1)}-${hash}`;
}

/** Namespace of the released objects. */
export function releaseNamespace({ spec, metadata }: HelmRelease): string {
  return spec.targetNamespace ?? metadata.namespace;
}

/** Namespace of the records of the release. */
export function storageNamespace({ spec, metadata }: HelmRelease): string {
  return spec.storageNamespace ?? metadata.namespace;
}

/** `spec.interval`. */
export function interval({ spec }: HelmRelease): Duration {
  return parseDuration(spec.interval);
}

/** The time an action may take: its own, else `spec.timeout`, else five minutes. */
export function timeoutOf({ spec }: HelmRelease, action?: TimedAction): Duration {
  const own = action === undefined ? undefined : spec[action]?.timeout;
  const text = own ?? spec.timeout;
  return text === undefined ? DEFAULT_TIMEOUT : parseDuration(text);
}

/** How many records are kept; 0 for all. */
export function maxHistory({ spec }: HelmRelease): number {
  return spec.maxHistory ?? DEFAULT_HISTORY;
}

/** What follows a failed install or upgrade. */
export type FailurePolicy = {
  /** Set when it is tried again with what is there, instead of put right. */
  retry?: RetryPolicy;
  /** How to put it right: go back, or away. */
  strategy: 'rollback' | 'uninstall';
  /** How often it may fail before that is the end; −1 for ever. */
  retries: number;
  ignoreTestFailures: boolean;
  /** Put right what the last attempt left behind, too. */
  remediateLastFailure: boolean;
};

/** When to try again: after `interval`; when it is `capped`, soon and then later each time up to it. */
export type RetryPolicy = { interval: Duration; capped: boolean };

/** The policies of both actions. */
export type FailurePolicies = { install: FailurePolicy; upgrade: FailurePolicy };

/** What follows failures of the actions (HB41). @param retryByDefault try again where the spec says nothing; Flux leaves it failed */
export function failurePolicies(object: HelmRelease, retryByDefault: boolean): FailurePolicies {
  return { install: failurePolicy(object, 'install', retryByDefault), upgrade: failurePolicy(object, 'upgrade', retryByDefault) };
}

function failurePolicy({ spec }: HelmRelease, action: 'install' | 'upgrade', retryByDefault: boolean): FailurePolicy {
  const { strategy, remediation } = spec[action] ?? {};
  const retries = remediation?.retries ?? 0;
  const isUpgrade = action === 'upgrade';
  const policy: FailurePolicy = {
    strategy: isUpgrade ? (spec.upgrade?.remediation?.strategy ?? 'rollback') : 'uninstall',
    retries,
    ignoreTestFailures: remediation?.ignoreTestFailures ?? spec.test?.ignoreFailures ?? false,
    remediateLastFailure: remediation?.remediateLastFailure ?? (isUpgrade && retries > 0),
  };
  if (strategy?.name === 'RetryOnFailure') {
    const { retryInterval } = strategy;
    const given = retryInterval === undefined ? DEFAULT_RETRY_INTERVAL : parseDuration(retryInterval);
    return { ...policy, retry: { interval: given, capped: false } };
  }
  if (retryByDefault && strategy === undefined && remediation === undefined) {
    return { ...policy, retry: { interval: DEFAULT_RETRY_INTERVAL, capped: true } };
  }
  return policy;
}

/** First pause before a capped retry. */
const FIRST_RETRY: Duration = seconds(10);

/** The pause before the next try after `failures` of them in a row. */
export function retryDelay(policy: RetryPolicy, failures: number): Duration {
  if (!policy.capped) return policy.interval;
  return milliseconds(Math.min(policy.interval, FIRST_RETRY * 2 ** Math.min(Math.max(failures - 1, 0), 20)));
}

/** True when differences between cluster and release are looked for. */
export function detectsDrift({ spec }: HelmRelease): boolean {
  const mode = spec.driftDetection?.mode ?? 'disabled';
  return mode !== 'disabled';
}
