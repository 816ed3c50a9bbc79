import { Builder, UNUSUAL } from './build.ts';
import { decodeV2 } from './decode-v2.ts';
import { decodeV3 } from './decode-v3.ts';
import { withDefaultLimits, type YamlLimits } from './limits.ts';
import { Composer } from './node.ts';
import { Parser } from './parser.ts';
import { quickDocuments } from './quick.ts';
import { plainV2, plainV3, type Numbers } from './plain.ts';
import { yamlSource, type YamlSource } from './source.ts';
import type { YamlValue } from './value.ts';

/**
 * Which Go library's reading. `v2`: YAML 1.1 as sigs.k8s.io/yaml has it (Helm, kubectl, Flux, kustomization.yaml): `yes` is true, a key
 * `on` is "true", dates are text. `v3`: yaml.v3 (resources in kustomize): `yes` is text, dates become RFC 3339, keys are unique.
 */
export type YamlDialect = 'v2' | 'v3';

export type ReadYamlOptions = {
  /** Default `v2`. */
  dialect?: YamlDialect;
  /** Refuse a key that is set twice (v3 always does). Default false. */
  strict?: boolean;
  /**
   * `float64` (default): every number is a JavaScript number, as after json.Unmarshal into `interface{}`.
   * `exact`: integers beyond 2^53 are bigints, so that their digits survive.
   */
  numbers?: Numbers;
  limits?: Partial<YamlLimits>;
};

/**
 * The first document of a text; null when it is empty. In `v2` exactly what sigs.k8s.io/yaml makes of it.
 * Throws a GoError with the library's own text (`yaml: line 3: …`), or `YamlLimitExceeded`.
 */
export function readYaml(text: string | Uint8Array, options: ReadYamlOptions = {}): YamlValue {
  const limits = withDefaultLimits(options.limits);
  for (const value of documents(yamlSource(text, limits), options, limits, 1)) return value;
  return null;
}

/**
 * All documents of a text, an empty one as null. Throws as {@link readYaml}; the whole text fails when one document does.
 */
export function readYamlDocuments(text: string | Uint8Array, options: ReadYamlOptions = {}): YamlValue[] {
  const limits = withDefaultLimits(options.limits);
  return [...documents(yamlSource(text, limits), options, limits, Number.POSITIVE_INFINITY)];
}

function* documents(source: YamlSource, options: ReadYamlOptions, limits: YamlLimits, count: number): Generator<YamlValue> {
  const { dialect = 'v2', strict = false, numbers = 'float64' } = options;
  const modern = dialect === 'v3';
  const unique = strict || modern;
  const quick = quickDocuments(source, { modern, unique, numbers, limits }, count);
  if (quick !== undefined) {
    yield* quick;
    return;
  }
  const builder = new Builder(new Parser(source, modern), modern, unique, numbers, limits);
  let done = 0;
  try {
    for (let value = builder.document(); value !== undefined; value = builder.document()) {
      yield value;
      done += 1;
    }
    return;
  } catch (error) {
    if (error !== UNUSUAL) throw error;
  }
  const composer = new Composer(source, modern, limits);
  for (let at = 0, node = composer.document(); node !== undefined; at++, node = composer.document()) {
    if (at < done) continue;
    yield modern ? plainV3(decodeV3(node, limits), numbers) : plainV2(decodeV2(node, strict, limits), numbers);
  }
}
