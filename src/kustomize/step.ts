import { writeYaml, type YamlValue } from '../golang/index.ts';
import { wrapError } from './errors.ts';
import type { ResourceList } from './resource-list.ts';
import type { Origin, Resource } from './resource.ts';

/** A transformer made ready: its files read, its patterns compiled. */
export type TransformStep = {
  /** Kind of the builtin, or of the plugin's own resource. */
  readonly kind: string;
  /** Where a plugin is configured; builtins are configured in the kustomization itself. */
  readonly origin?: Origin | undefined;
  readonly transform: (list: ResourceList) => void;
  /** What it puts into one resource, if that is the same for all (see `weightOf`). */
  readonly weight?: number;
};

/** A generator made ready. */
export type GenerateStep = {
  readonly kind: string;
  readonly origin?: Origin | undefined;
  readonly generate: () => Resource[];
};

/** Makes a builtin ready, showing its configuration in the error it may throw. */
export function configure<T>(kind: string, config: unknown, work: (text: string) => T): T {
  let shown: string | undefined;
  const text = (): string => (shown ??= configText(config));
  try {
    return work(text());
  } catch (error) {
    throw wrapError(error, `trouble configuring builtin ${kind} with config: \`\n${text()}\``, 'KustomizationInvalid');
  }
}

/** What Go's YAML writer makes of a configuration: empty fields are left out. */
function configText(config: unknown): string {
  const value = withoutEmpty(config);
  return value === undefined ? '{}\n' : writeYaml(value);
}

function withoutEmpty(value: unknown): YamlValue | undefined {
  if (value instanceof Map) return withoutEmpty(Object.fromEntries(value));
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => withoutEmpty(item) ?? {});
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).flatMap(([key, item]): [string, YamlValue][] => {
      const kept = withoutEmpty(item);
      return kept === undefined ? [] : [[key, kept]];
    });
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number' && value !== 0) return value;
  return value === true ? true : undefined;
}
