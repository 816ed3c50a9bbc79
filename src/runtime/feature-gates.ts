import { CodedError } from '../std/index.ts';

/** Flux's feature gates that mean something to Sluice, with Sluice's defaults. A gate Flux knows and Sluice does not need is accepted. */
const DEFAULTS: Readonly<Record<string, boolean>> = {
  AdditiveCELDependencyCheck: false,
  CacheSecretsAndConfigMaps: false,
  CancelHealthCheckOnNewRevision: true,
  DirectSourceFetch: false,
  DisableConfigWatchers: false,
  DisableFailFastBehavior: false,
  DisableStatusPollerCache: true,
  ExternalArtifact: false,
  GroupChangeLog: false,
  MigrateAPIVersion: false,
  ObjectLevelWorkloadIdentity: false,
  StrictPostBuildSubstitutions: true,
  AllowDNSLookups: false,
  DefaultToRetryOnFailure: true,
  DisableChartDigestTracking: false,
  OOMWatch: false,
  UseHelm3Defaults: false,
  AdoptLegacyReleases: true,
  CorrectDrift: true,
  DetectDrift: false,
  // Of our own: what a failed hook or test has logged goes into conditions and events.
  HookOutput: true,
};

/** A feature gate's name. */
export type FeatureGates = { enabled(gate: string): boolean };

/**
 * Reads `--feature-gates`, `A=true,B=false`.
 * @throws CodedError `FeatureGatesInvalid` for an unknown gate or a value that is not true or false
 */
export function parseFeatureGates(text: string): FeatureGates {
  const gates = new Map(Object.entries(DEFAULTS));
  for (const item of text.split(',').filter((part) => part.trim() !== '')) {
    const [name = '', value = ''] = item.split('=').map((part) => part.trim());
    if (!gates.has(name)) throw invalid(item, `unknown feature gate ${JSON.stringify(name)}: have ${[...gates.keys()].sort().join(', ')}`);
    if (value !== 'true' && value !== 'false')
      throw invalid(item, `feature gate ${JSON.stringify(name)}: want true or false, have ${JSON.stringify(value)}`);
    gates.set(name, value === 'true');
  }
  return { enabled: (gate) => gates.get(gate) ?? false };
}

function invalid(subject: string, cause: string): CodedError<'FeatureGatesInvalid'> {
  return new CodedError({ code: 'FeatureGatesInvalid', message: `parse --feature-gates: ${cause}`, subject, retryable: false });
}
