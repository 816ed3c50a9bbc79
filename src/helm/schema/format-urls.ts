import { quote } from '../../golang/index.ts';

/** A dotted IPv4 address. */
export function checkIpv4(text: string): string | undefined {
  const groups = text.split('.');
  if (groups.length !== 4) return 'expected four decimals';
  for (const group of groups) {
    if (group.length > 1 && group.startsWith('0')) return 'leading zeros';
    if (!/^[+-]?\d+$/.test(group)) return `strconv.Atoi: parsing ${quote(group)}: invalid syntax`;
    const value = Number(group);
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return `strconv.Atoi: parsing ${quote(group)}: value out of range`;
    if (value < 0 || value > 255) return 'decimal must be between 0 and 255';
  }
  return undefined;
}

/** An IPv6 address without a zone, with the texts of Go's netip.ParseAddr. */
export function checkIpv6(text: string): string | undefined {
  if (!text.includes(':')) return 'missing colon';
  const failed = (why: string, at?: string): string =>
    `ParseAddr(${quote(text)}): ${why}${at === undefined || at === '' ? '' : ` (at ${quote(at)})`}`;
  const colon = text.indexOf(':');
  const dot = text.indexOf('.');
  if (dot >= 0 && dot < colon) return failed('unexpected character', text.slice(colon));
  const percent = text.indexOf('%');
  if (percent >= 0 && percent + 1 === text.length) return failed('zone must be a non-empty string');
  const problem = scanIpv6(percent < 0 ? text : text.slice(0, percent));
  if (problem !== undefined) return failed(...problem);
  return percent < 0 ? undefined : 'zone id is not a part of ipv6 address';
}

function scanIpv6(text: string): [why: string, at?: string] | undefined {
  let rest = text;
  let ellipsis = false;
  let filled = 0;
  if (rest.startsWith('::')) {
    ellipsis = true;
    rest = rest.slice(2);
    if (rest === '') return undefined;
  }
  while (filled < 16) {
    const digits = /^[0-9a-fA-F]*/.exec(rest)?.[0] ?? '';
    if (digits.length > 4) return ['each group must have 4 or less digits', rest];
    if (digits === '') return ['each colon-separated field must have at least one digit', rest];
    if (rest[digits.length] === '.') {
      if (!ellipsis && filled !== 12) return ['embedded IPv4 address must replace the final 2 fields of the address', rest];
      if (filled + 4 > 16) return ['too many hex fields to fit an embedded IPv4 at the end of the address', rest];
      const v4 = scanIpv4(rest);
      if (v4 !== undefined) return v4;
      rest = '';
      filled += 4;
      break;
    }
    filled += 2;
    rest = rest.slice(digits.length);
    if (rest === '') break;
    if (!rest.startsWith(':')) return ['unexpected character, want colon', rest];
    if (rest.length === 1) return ['colon must be followed by more characters', rest];
    rest = rest.slice(1);
    if (rest.startsWith(':')) {
      if (ellipsis) return ['multiple :: in address', rest];
      ellipsis = true;
      rest = rest.slice(1);
      if (rest === '') break;
    }
  }
  if (rest !== '') return ['trailing garbage after address', rest];
  if (filled < 16 && !ellipsis) return ['address string too short'];
  return filled === 16 && ellipsis ? ['the :: must expand to at least one field of zeros'] : undefined;
}

function scanIpv4(text: string): [why: string, at?: string] | undefined {
  const stray = /[^0-9.]/u.exec(text);
  const fields = (stray === null ? text : text.slice(0, stray.index)).split('.');
  for (const [i, field] of fields.entries()) {
    if (field === '' && stray !== null && i === fields.length - 1) break;
    if (field === '') return ['IPv4 field must have at least one digit'];
    if (field.length > 1 && field.startsWith('0')) return ['IPv4 field has octet with leading zero'];
    if (Number(field) > 255) return ['IPv4 field has value >255'];
    if (i === 4) return ['IPv4 address too long'];
  }
  if (stray !== null) return ['unexpected character', text.slice(stray.index)];
  return fields.length < 4 ? ['IPv4 address too short'] : undefined;
}

/** An absolute URI (RFC 3986), as strict as Go's net/url. */
export function checkUri(text: string): string | undefined {
  const problem = checkUrl(text);
  if (problem !== undefined) return problem;
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) ? undefined : 'relative url';
}

export function checkUriReference(text: string): string | undefined {
  return text.includes('\\') ? 'contains \\' : checkUrl(text);
}

export function checkUriTemplate(text: string): string | undefined {
  const problem = checkUrl(text);
  if (problem !== undefined) return problem;
  const path = text.replace(/^[a-zA-Z][a-zA-Z0-9+.-]*:(\/\/[^/?#]*)?/, '').replace(/[?#].*$/s, '');
  for (const segment of path.split('/')) {
    let open = false;
    for (const brace of segment.replace(/[^{}]/g, '')) {
      if ((brace === '{') === open) return 'nested curly braces';
      open = !open;
    }
    if (open) return 'no matching closing brace';
  }
  return undefined;
}

/** What Go's url.Parse says against a text. */
function checkUrl(text: string): string | undefined {
  const failed = (why: string): string => `parse ${quote(text)}: ${why}`;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return failed('net/url: invalid control character in URL');
  }
  const hash = text.indexOf('#');
  const body = hash < 0 ? text : text.slice(0, hash);
  if (body === '' && hash < 0 && text !== '') return failed('empty url');
  const escape = badEscape(body) ?? (hash < 0 ? undefined : badEscape(text.slice(hash + 1)));
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:/.exec(body)?.[0];
  if (scheme === undefined && body.startsWith(':')) return failed('missing protocol scheme');
  const rest = scheme === undefined ? body : body.slice(scheme.length);
  if (!rest.startsWith('/')) {
    if (scheme !== undefined) return undefined;
    const segment = (rest.split('?')[0] ?? '').split('/')[0] ?? '';
    if (segment.includes(':')) return failed('first path segment in URL cannot contain colon');
  }
  const authority = /^\/\/([^/?]*)/.exec(rest)?.[1];
  const host = authority === undefined ? undefined : checkAuthority(authority);
  if (host !== undefined) return failed(host);
  return escape === undefined ? undefined : failed(`invalid URL escape ${quote(escape)}`);
}

function badEscape(text: string): string | undefined {
  const bad = /%(?![0-9a-fA-F]{2})/.exec(text);
  return bad === null ? undefined : text.slice(bad.index, bad.index + 3);
}

function checkAuthority(authority: string): string | undefined {
  const at = authority.lastIndexOf('@');
  if (at >= 0 && !/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(authority.slice(0, at))) return 'net/url: invalid userinfo';
  const host = authority.slice(at + 1);
  if (host.startsWith('[')) {
    const close = host.lastIndexOf(']');
    if (close < 0) return "missing ']' in host";
    const port = host.slice(close + 1);
    if (!/^(:\d*)?$/.test(port)) return `invalid port ${quote(port)} after host`;
    const inner = host.slice(1, close);
    const problem = inner.includes(':') ? checkIpv6(inner) : `ParseAddr(${quote(inner)}): unexpected character (at ${quote(inner)})`;
    return problem === undefined ? undefined : `invalid host: ${problem}`;
  }
  const colon = host.indexOf(':');
  const port = colon < 0 ? '' : host.slice(colon);
  if (!/^(:\d*)?$/.test(port)) return `invalid port ${quote(port)} after host`;
  const stray = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"%\u0080-\u{10ffff}]/u.exec(host);
  return stray === null ? undefined : `invalid character ${quote(stray[0])} in host name`;
}
