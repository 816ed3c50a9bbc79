import {
  anyType,
  boolType,
  GoError,
  intType,
  sprint,
  sprintf,
  sprintln,
  stringType,
  type GoType,
  type GoValue,
} from '../../golang/index.ts';
import { reflectValueType, type TemplateFunction } from '../function.ts';
import { truth } from '../value.ts';
import { equals, equalsAny, isLess, isLessOrEqual } from './compare.ts';
import { escapeHtml, escapeJs, escapeUrlQuery } from './escape.ts';
import { index, length, slice } from './indexing.ts';

const value = reflectValueType;

/** Functions the compiler has code of its own for; the table only gives their types. */
function special(): () => GoValue {
  return () => {
    throw new GoError('unreachable');
  };
}

function define(
  params: readonly GoType[],
  result: GoType,
  call: (args: readonly GoValue[]) => GoValue,
  variadic = false,
): TemplateFunction {
  return { params, result, variadic, call };
}

function comparison(compare: (a: GoValue, b: GoValue) => boolean): TemplateFunction {
  return define([value, value], boolType, ([a, b]) => compare(a, b));
}

function printer(print: (args: readonly GoValue[]) => string): TemplateFunction {
  return define([anyType], stringType, print, true);
}

/** Text/template's own functions. */
export const builtins: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['and', define([value, value], value, special(), true)],
  ['or', define([value, value], value, special(), true)],
  ['call', define([value, value], value, special(), true)],
  ['not', define([value], boolType, ([a]) => !truth(a))],
  ['eq', define([value, value], boolType, ([first, ...others]) => equalsAny(first, others), true)],
  ['ne', comparison((a, b) => !equals(a, b))],
  ['lt', comparison(isLess)],
  ['le', comparison(isLessOrEqual)],
  ['gt', comparison((a, b) => !isLessOrEqual(a, b))],
  ['ge', comparison((a, b) => !isLess(a, b))],
  ['len', define([value], intType, ([a]) => length(a))],
  ['index', define([value, value], value, ([item, ...keys]) => index(item, keys), true)],
  ['slice', define([value, value], value, ([item, ...indexes]) => slice(item, indexes), true)],
  ['html', printer(escapeHtml)],
  ['js', printer(escapeJs)],
  ['urlquery', printer(escapeUrlQuery)],
  ['print', printer(sprint)],
  ['println', printer(sprintln)],
  [
    'printf',
    define([stringType, anyType], stringType, ([format, ...args]) => sprintf(typeof format === 'string' ? format : '', args), true),
  ],
]);
