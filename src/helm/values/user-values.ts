import { decodeJson, GoMap, isYamlObject, mapFromYaml } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import { helmError } from '../errors.ts';
import { mergeMaps, readValuesDocuments } from './documents.ts';
import { setFileValue, setJsonValue, setLiteralValue, setStringValue, setValue, type FileReader } from './strvals.ts';

/** What a user gives to a chart, in the order of the kinds below: later kinds win over earlier ones, and later items over earlier ones. */
export type UserValues = {
  /** `--values`: texts with the name to show in errors. */
  files?: readonly { readonly name: string; readonly text: string }[];
  /** `--set-json`: `key=json`, or one JSON object. */
  setJson?: readonly string[];
  set?: readonly string[];
  setString?: readonly string[];
  /** `--set-file`: read with `readFile`. */
  setFile?: readonly string[];
  setLiteral?: readonly string[];
  readFile?: FileReader;
};

/** Puts a user's values together as the helm commands do. @throws CodedError `ValuesInvalid` with Helm's text */
export function mergeUserValues(values: UserValues): GoMap {
  let base = new GoMap();
  for (const { name, text } of values.files ?? []) {
    base = mergeMaps(
      base,
      named(`failed to parse ${name}`, () => readValuesDocuments(text)),
    );
  }
  // What --set changes must not be shared with anything that was read.
  base = base.clone();
  for (const expression of values.setJson ?? []) base = withJson(base, expression);
  const failed = (flag: string): string => `failed parsing --${flag} data`;
  for (const expression of values.set ?? []) named(failed('set'), () => setValue(expression, base));
  for (const expression of values.setString ?? []) named(failed('set-string'), () => setStringValue(expression, base));
  const readFile = values.readFile ?? noFiles;
  for (const expression of values.setFile ?? []) named(failed('set-file'), () => setFileValue(expression, base, readFile));
  for (const expression of values.setLiteral ?? []) named(failed('set-literal'), () => setLiteralValue(expression, base));
  return base;
}

function withJson(base: GoMap, expression: string): GoMap {
  const trimmed = expression.trim();
  if (!trimmed.startsWith('{')) {
    silently(`failed parsing --set-json data ${expression}`, () => setJsonValue(expression, base));
    return base;
  }
  return silently(`failed parsing --set-json data JSON: ${expression}`, () => {
    const value = decodeJson(trimmed);
    return isYamlObject(value) ? mergeMaps(base, mapFromYaml(value)).clone() : base;
  });
}

function named<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw helmError('ValuesInvalid', `${what}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Helm says only which expression it was. */
function silently<T>(message: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw helmError('ValuesInvalid', message, { cause: error });
  }
}

function noFiles(name: string): string {
  throw new Error(`open ${name}: no such file or directory`);
}
