import { anyMapType, anyType, goMap, stringType, type GoValue } from '../../golang/index.ts';
import type { TemplateFunction } from '../../gotemplate/index.ts';
import { errorMessage, isCodedError } from '../../std/index.ts';
import { decodeToml } from '../toml/decode.ts';
import { encodeToml } from '../toml/encode.ts';

/** `toToml` writes the reason where encoding fails; a panic of the library (nil) still ends the template. */
function toToml(value: GoValue): string {
  try {
    return encodeToml(value);
  } catch (error) {
    if (isCodedError(error, 'GoError') && value !== null && value !== undefined) return errorMessage(error);
    throw error;
  }
}

function fromToml(text: string): GoValue {
  try {
    return decodeToml(text);
  } catch (error) {
    if (isCodedError(error, 'GoError')) return goMap([['Error', errorMessage(error)]]);
    throw error;
  }
}

/** The functions between values and TOML text. */
export const tomlFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['toToml', { params: [anyType], result: stringType, call: ([value]) => toToml(value) }],
  ['fromToml', { params: [stringType], result: anyMapType, call: ([text]) => fromToml(String(text)) }],
];

/** What Helm 4 adds to {@link tomlFunctions}. */
export const mustTomlFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['mustToToml', { params: [anyType], result: stringType, call: ([value]) => encodeToml(value) }],
];
