import { isYamlObject, readYaml, writeYaml, type YamlObject, type YamlValue } from '../golang/index.ts';
import { errorMessage } from '../std/index.ts';
import { fromByteString, toByteString } from './bytes.ts';
import { SubstitutionError } from './errors.ts';
import { findOperator, isDefaultOperator } from './operators.ts';
import { type Expression, type Node, parseTemplate } from './parse.ts';

/** Variables by name, as {@link prepareVariables} makes them. */
export type Variables = ReadonlyMap<string, string>;

/** How to substitute. */
export type SubstituteOptions = {
  /** An unset variable without a default is an error (KB48). */
  strict: boolean;
  /** Substitute even when there are no variables (`substituteStrategy: Always`, KB40). Default false. */
  always?: boolean;
};

/** Bytes a text may grow to. */
const MAX_OUTPUT = 64 * 1024 * 1024;
const NAME = /^[_A-Za-z][_A-Za-z0-9]*$/;
const OPT_OUT = 'kustomize.toolkit.fluxcd.io/substitute';

/**
 * Makes variables from the data of ConfigMaps and Secrets and the inline map, later ones overriding earlier ones (KB40): checks the names
 * and takes newlines out of the values (KB41).
 * @throws SubstitutionError `VariableNameInvalid`
 */
export function prepareVariables(sources: readonly Iterable<readonly [string, string]>[]): Variables {
  const variables = new Map<string, string>();
  for (const source of sources) for (const [name, value] of source) variables.set(name, value.replaceAll('\n', ''));
  for (const name of variables.keys()) {
    if (!NAME.test(name)) {
      throw new SubstitutionError({
        code: 'VariableNameInvalid',
        message: `read variables: '${name.slice(0, 200)}' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'`,
        subject: name.slice(0, 200),
        retryable: false,
      });
    }
  }
  return variables;
}

/**
 * Replaces `${…}` expressions in a text (fluxcd/pkg envsubst, KB43–KB48).
 * @throws SubstitutionError `ExpressionInvalid`, `VariableNotSet`, `LimitExceeded`
 */
export function substituteText(text: string, variables: Variables, strict: boolean): string {
  if (!text.includes('$') && !text.includes('\0')) return text;
  const nodes = parseTemplate(toByteString(text));
  return fromByteString(new Evaluation(variables, strict).list(nodes));
}

class Evaluation {
  readonly #variables: Variables;
  readonly #strict: boolean;
  #produced = 0;

  constructor(variables: Variables, strict: boolean) {
    this.#variables = variables;
    this.#strict = strict;
  }

  list(nodes: readonly Node[]): string {
    return nodes.map((node) => (node.kind === 'text' ? node.text : this.#expression(node))).join('');
  }

  #expression({ name, operator, arguments: nodes }: Expression): string {
    const parts = nodes.map((node) => this.list([node]));
    const variable = fromByteString(name);
    const value = this.#variables.get(variable);
    if (value === undefined && this.#strict && !isDefaultOperator(operator)) {
      throw new SubstitutionError({
        code: 'VariableNotSet',
        message: `variable not set (strict mode): ${JSON.stringify(variable)}`,
        subject: variable,
        remedy: `set it in postBuild.substitute or substituteFrom, or give it a default: \${${variable}:=…}`,
      });
    }
    const result = findOperator(operator, parts.length)(toByteString(value ?? ''), parts);
    this.#produced += result.length;
    if (this.#produced > MAX_OUTPUT) {
      throw new SubstitutionError({
        code: 'LimitExceeded',
        message: `substitute variables: more than ${MAX_OUTPUT} bytes`,
        subject: variable,
        retryable: false,
      });
    }
    return result;
  }
}

/**
 * Substitutes in one object: on its YAML text, which is read again, so that values can change type (KB42). The object itself comes back when
 * nothing is to be done: no variables and not `always`, opted out by label or annotation, or no `$` in it.
 * @param subject how errors name the object
 * @throws SubstitutionError
 */
export function substituteObject<T extends { [field: string]: unknown }>(
  object: T,
  variables: Variables,
  options: SubstituteOptions,
  subject: string,
): T {
  if ((variables.size === 0 && options.always !== true) || isOptedOut(object) || !mentionsDollar(object)) return object;
  try {
    const text = substituteText(writeYaml(object as YamlObject), variables, options.strict);
    const result = readResult(text);
    return result as T;
  } catch (error) {
    throw withSubject(error, subject);
  }
}

function readResult(text: string): YamlObject {
  let value: YamlValue;
  try {
    value = readYaml(text);
  } catch (error) {
    throw new SubstitutionError({
      code: 'ResultInvalid',
      message: `YAMLToJSON: ${errorMessage(error)}`,
      cause: error,
      remedy: 'quote the expression in the manifest: "${NAME}"',
      retryable: false,
    });
  }
  if (isYamlObject(value)) return value;
  throw new SubstitutionError({ code: 'ResultInvalid', message: 'the result is not a mapping', retryable: false });
}

function withSubject(error: unknown, subject: string): unknown {
  if (!(error instanceof SubstitutionError)) return error;
  return new SubstitutionError({
    code: error.code,
    message: `substitute variables in ${subject}: ${error.message}`,
    subject,
    cause: error,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    retryable: error.retryable,
  });
}

/** `kustomize.toolkit.fluxcd.io/substitute: disabled` as label or annotation (KB42). */
export function isOptedOut(object: { [field: string]: unknown }): boolean {
  const metadata = object['metadata'];
  if (!isRecord(metadata)) return false;
  return [metadata['labels'], metadata['annotations']].some(
    (map) => isRecord(map) && typeof map[OPT_OUT] === 'string' && map[OPT_OUT].toLowerCase() === 'disabled',
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True when a key or text below `value` has a `$`: without one its YAML has none, and reading it back gives the same again. */
function mentionsDollar(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('$');
  if (Array.isArray(value)) return value.some(mentionsDollar);
  if (!isRecord(value)) return false;
  for (const key in value) if (key.includes('$') || mentionsDollar(value[key])) return true;
  return false;
}
