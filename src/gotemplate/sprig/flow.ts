import {
  anyType,
  boolType,
  decodeJson,
  encodeValueJson,
  fromYamlValue,
  GoError,
  goKind,
  goTypeName,
  stringType,
  type EncodeJsonOptions,
  type GoValue,
} from '../../golang/index.ts';
import { deepEqual } from './equal.ts';
import { fn, isEmpty, text, variadic, type Functions } from './define.ts';

const A = anyType;
const S = stringType;

/** The value, or `otherwise` where Go's library reports an error that sprig ignores. */
function ignoringErrors(value: () => GoValue, otherwise: GoValue): GoValue {
  try {
    return value();
  } catch (error) {
    if (error instanceof GoError) return otherwise;
    throw error;
  }
}

function readJson(source: GoValue): GoValue {
  return fromYamlValue(decodeJson(text(source)));
}

function writeJson(value: GoValue, options: EncodeJsonOptions): string {
  return encodeValueJson(value, options);
}

const pretty: EncodeJsonOptions = { indent: '  ', prefix: '' };
const raw: EncodeJsonOptions = { escapeHtml: false };

/** Defaults, choices and JSON. */
export const flowFunctions: Functions = {
  default: variadic([A, A], A, ([otherwise, given]) => (isEmpty(given) ? otherwise : given)),
  empty: fn([A], boolType, isEmpty),
  coalesce: variadic([A], A, (values) => values.find((value) => !isEmpty(value)) ?? null),
  all: variadic([A], boolType, (values) => !values.some(isEmpty)),
  any: variadic([A], boolType, (values) => !values.every(isEmpty)),
  ternary: fn([A, A, boolType], A, (yes, no, condition) => (condition === true ? yes : no)),
  fail: fn([S], S, (message) => {
    throw new GoError(text(message));
  }),
  fromJson: fn([S], A, (source) => ignoringErrors(() => readJson(source), null)),
  mustFromJson: fn([S], A, readJson),
  toJson: fn([A], S, (value) => ignoringErrors(() => writeJson(value, {}), '')),
  mustToJson: fn([A], S, (value) => writeJson(value, {})),
  toPrettyJson: fn([A], S, (value) => ignoringErrors(() => writeJson(value, pretty), '')),
  mustToPrettyJson: fn([A], S, (value) => writeJson(value, pretty)),
  toRawJson: fn([A], S, (value) => writeJson(value, raw)),
  mustToRawJson: fn([A], S, (value) => writeJson(value, raw)),
  typeOf: fn([A], S, goTypeName),
  typeIs: fn([S, A], boolType, (name, value) => name === goTypeName(value)),
  typeIsLike: fn([S, A], boolType, (name, value) => name === goTypeName(value) || `*${text(name)}` === goTypeName(value)),
  kindOf: fn([A], S, goKind),
  kindIs: fn([S, A], boolType, (name, value) => name === goKind(value)),
  deepEqual: fn([A, A], boolType, (a, b) => deepEqual(a, b)),
};
