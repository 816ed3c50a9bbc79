import { quote as goQuote } from '../../golang/index.ts';
import { instanceType, JsonNumber, type Instance, type InstanceType, type SchemaNode } from './document.ts';
import { pointerOf } from './pointer.ts';

/** One thing that is wrong, and what led to it. */
export type Failure = {
  /** `reference` failures with a single cause are not printed; `group` ones only hold several. */
  readonly kind: 'schema' | 'group' | 'reference' | 'leaf';
  readonly text: string;
  readonly path: readonly string[];
  readonly causes: readonly Failure[];
};

/** The text of a failure and its causes, each level two spaces deeper. */
export function formatFailure(failure: Failure): string {
  const out: string[] = [];
  write(failure, 0, out);
  return out.join('');
}

function write(failure: Failure, indent: number, out: string[]): void {
  const hidden = failure.kind === 'reference' && failure.causes.length === 1;
  let inner = indent;
  if (!hidden) {
    if (indent > 0) out.push(`\n${'  '.repeat(indent - 1)}- `);
    inner = indent + 1;
    out.push(failure.kind === 'schema' ? failure.text : `at ${singleQuoted(pointerOf(failure.path))}: ${failure.text}`);
  }
  for (const cause of failure.causes) write(cause, inner, out);
}

/** A text in single quotes, escaped as Go's %q with the roles of the quotes exchanged. */
export function singleQuoted(text: string): string {
  return `'${goQuote(text).replaceAll('\\"', '"').replaceAll("'", "\\'").slice(1, -1)}'`;
}

export function quotedList(names: readonly string[]): string {
  return names.map(singleQuoted).join(', ');
}

/** A value inside a message; containers are never spelled out. */
export function display(value: Instance): string {
  switch (instanceType(value)) {
    case 'string':
      return singleQuoted(value as string);
    case 'array':
    case 'object':
      return 'value';
    case 'null':
      return '<nil>';
    case 'number':
      return value instanceof JsonNumber ? value.text : plainNumber(value);
    default:
      return String(value);
  }
}

/** `value must be …` for enum and const, which name the values unless one is a container. */
export function mustBe(values: readonly SchemaNode[], keyword: 'enum' | 'const'): string {
  if (values.some((value) => isContainer(instanceType(value)))) return `'${keyword}' failed`;
  const [only] = values;
  if (values.length === 1 && only !== undefined) return `value must be ${display(only)}`;
  return `value must be one of ${values.map(display).join(', ')}`;
}

function isContainer(type: InstanceType | undefined): boolean {
  return type === 'array' || type === 'object';
}

function plainNumber(value: Instance): string {
  if (typeof value === 'object' && value !== null && 'value' in value) return String(value.value);
  return goG(value as number);
}

/** strconv's shortest 'g' form. */
function goG(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const { digits, exponent, sign } = decimal(value);
  if (exponent < -4 || exponent >= 21)
    return `${sign}${mantissa(digits)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return sign + positional(digits, exponent);
}

/** A number as golang.org/x/text prints it in English: thousands grouped, a power of ten from 10⁶ on and below 10⁻⁴. */
export function englishNumber(value: number): string {
  if (value === 0) return '0';
  const { digits, exponent, sign } = decimal(value);
  if (exponent < -4 || exponent >= 6) return `${sign}${mantissa(digits)}×10${superscript(exponent)}`;
  const [whole = '', fraction] = positional(digits, exponent).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return sign + (fraction === undefined ? grouped : `${grouped}.${fraction}`);
}

function decimal(value: number): { digits: string; exponent: number; sign: string } {
  const [digits = '0', exponent = '0'] = Math.abs(value).toExponential().split('e');
  return { digits: digits.replace('.', ''), exponent: Number(exponent), sign: value < 0 ? '-' : '' };
}

function mantissa(digits: string): string {
  return digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
}

function positional(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits + '0'.repeat(exponent + 1 - digits.length);
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

function superscript(exponent: number): string {
  const digits = String(Math.abs(exponent)).padStart(2, '0');
  return (exponent < 0 ? '⁻' : '') + [...digits].map((digit) => SUPERSCRIPTS[Number(digit)]).join('');
}
