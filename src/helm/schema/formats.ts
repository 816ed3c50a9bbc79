import { quoteRune } from '../../golang/index.ts';
import { compilePattern } from './pattern.ts';
import { checkDate, checkDateTime, checkDuration, checkPeriod, checkTime } from './format-times.ts';
import { checkIpv4, checkIpv6, checkUri, checkUriReference, checkUriTemplate } from './format-urls.ts';

/** Says what is wrong with a text, or undefined. */
export type FormatCheck = (text: string) => string | undefined;

/** The check of a `format`; undefined for names that are annotations only. */
export function formatCheck(name: string): FormatCheck | undefined {
  return FORMATS.get(name);
}

const FORMATS: ReadonlyMap<string, FormatCheck> = new Map<string, FormatCheck>([
  ['regex', checkRegex],
  ['json-pointer', checkJsonPointer],
  ['relative-json-pointer', checkRelativeJsonPointer],
  ['uuid', checkUuid],
  ['duration', checkDuration],
  ['period', checkPeriod],
  ['ipv4', checkIpv4],
  ['ipv6', checkIpv6],
  ['hostname', checkHostname],
  ['email', checkEmail],
  ['date', checkDate],
  ['time', checkTime],
  ['date-time', checkDateTime],
  ['uri', checkUri],
  ['iri', checkUri],
  ['uri-reference', checkUriReference],
  ['iri-reference', checkUriReference],
  ['uri-template', checkUriTemplate],
  ['semver', checkSemver],
]);

function checkRegex(text: string): string | undefined {
  const pattern = compilePattern(text);
  return typeof pattern === 'string' ? pattern : undefined;
}

/** The first character outside `allowed`, quoted as Go's %q of a rune. */
function strayCharacter(text: string, allowed: RegExp): string | undefined {
  for (const char of text) if (!allowed.test(char)) return quoteRune(char.codePointAt(0) ?? 0);
  return undefined;
}

/** RFC 6901 §3. */
function checkJsonPointer(text: string): string | undefined {
  if (text === '') return undefined;
  if (!text.startsWith('/')) return 'not starting with /';
  return /~(?![01])/.test(text) ? '~ must be followed by 0 or 1' : undefined;
}

function checkRelativeJsonPointer(text: string): string | undefined {
  const digits = /^\d*/.exec(text)?.[0] ?? '';
  if (digits === '') return 'must start with non-negative integer';
  if (digits.length > 1 && digits.startsWith('0')) return 'starts with zero';
  const rest = text.slice(digits.length);
  return rest === '#' ? undefined : checkJsonPointer(rest);
}

const UUID_GROUPS: readonly number[] = [8, 4, 4, 4, 12];

function checkUuid(text: string): string | undefined {
  const groups = text.split('-');
  if (groups.length !== UUID_GROUPS.length) return `must have ${UUID_GROUPS.length} elements`;
  for (const [i, group] of groups.entries()) {
    const want = UUID_GROUPS[i];
    if (Buffer.byteLength(group) !== want) return `element ${i + 1} must be ${want} characters long`;
    const stray = strayCharacter(group, /^[0-9a-fA-F]$/);
    if (stray !== undefined) return `non-hex character ${stray}`;
  }
  return undefined;
}

function checkHostname(text: string): string | undefined {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (Buffer.byteLength(name) > 253) return 'more than 253 characters long';
  for (const label of name.split('.')) {
    const length = Buffer.byteLength(label);
    if (length < 1 || length > 63) return 'label must be 1 to 63 characters long';
    if (label.startsWith('-')) return 'label starts with hyphen';
    if (label.endsWith('-')) return 'label ends with hyphen';
    const stray = strayCharacter(label, /^[a-zA-Z0-9-]$/);
    if (stray !== undefined) return `invalid character ${stray}`;
  }
  return undefined;
}

function checkEmail(text: string): string | undefined {
  if (Buffer.byteLength(text) > 254) return 'more than 255 characters long';
  const at = text.lastIndexOf('@');
  if (at < 0) return 'missing @';
  const local = text.slice(0, at);
  const problem = checkLocalPart(local);
  return problem ?? checkMailDomain(text.slice(at + 1));
}

function checkLocalPart(local: string): string | undefined {
  if (Buffer.byteLength(local) > 64) return 'local part more than 64 characters long';
  if (local.length > 1 && local.startsWith('"')) {
    return /[\\"]/.test(local.slice(1, -1)) ? 'backslash and quote are not allowed within quoted local part' : undefined;
  }
  if (local.startsWith('.')) return 'starts with dot';
  if (local.endsWith('.')) return 'ends with dot';
  if (local.includes('..')) return 'consecutive dots';
  const stray = strayCharacter(local, /^[a-zA-Z0-9.!#$%&'*+\-/=?^_`{|}~]$/);
  return stray === undefined ? undefined : `invalid character ${stray}`;
}

function checkMailDomain(domain: string): string | undefined {
  if (domain.startsWith('[') && domain.endsWith(']')) {
    const address = domain.slice(1, -1);
    const v6 = address.startsWith('IPv6:');
    const problem = v6 ? checkIpv6(address.slice(5)) : checkIpv4(address);
    return problem === undefined ? undefined : `invalid ${v6 ? 'ipv6' : 'ipv4'} address: ${problem}`;
  }
  const problem = checkHostname(domain);
  return problem === undefined ? undefined : `invalid domain: ${problem}`;
}

/** semver.org, section "Backus–Naur Form Grammar". */
function checkSemver(text: string): string | undefined {
  const plus = text.indexOf('+');
  const unbuilt = plus < 0 ? text : text.slice(0, plus);
  const build = plus < 0 ? undefined : checkIdentifiers(text.slice(plus + 1), 'build');
  if (build !== undefined) return build;
  const dash = unbuilt.indexOf('-');
  const preRelease = dash < 0 ? undefined : checkIdentifiers(unbuilt.slice(dash + 1), 'pre-release');
  if (preRelease !== undefined) return preRelease;
  const numbers = (dash < 0 ? unbuilt : unbuilt.slice(0, dash)).split('.');
  if (numbers.length !== 3) return 'versionCore must have 3 numbers separated by dot';
  for (const [i, name] of ['major', 'minor', 'patch'].entries()) {
    const number = numbers[i] ?? '';
    if (number === '') return `${name} is empty`;
    if (number.length > 1 && number.startsWith('0')) return `${name} starts with zero`;
    if (!/^\d+$/.test(number)) return `${name} contains non-digit`;
  }
  return undefined;
}

function checkIdentifiers(text: string, what: 'build' | 'pre-release'): string | undefined {
  if (what === 'build' && text === '') return 'build is empty';
  for (const identifier of text.split('.')) {
    if (identifier === '') return `${what} identifier is empty`;
    const stray = strayCharacter(identifier, /^[0-9a-zA-Z-]$/);
    if (stray !== undefined) return `invalid character ${stray} in ${what} identifier`;
    if (what === 'pre-release' && /^0\d+$/.test(identifier)) return 'pre-release numeric identifier starts with zero';
  }
  return undefined;
}
