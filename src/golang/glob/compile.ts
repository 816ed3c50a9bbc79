import { GoError } from '../go-error.ts';
import {
  AnyMatcher,
  AnyOfMatcher,
  ContainsMatcher,
  CountMatcher,
  EveryMatcher,
  nothing,
  OneMatcher,
  PrefixAnyMatcher,
  PrefixMatcher,
  PrefixSuffixMatcher,
  RowMatcher,
  SuffixAnyMatcher,
  SuffixMatcher,
  superMatcher,
  TextMatcher,
  TreeMatcher,
  type Matcher,
} from './matcher.ts';
import type { GlobNode } from './pattern.ts';

/** Turns a syntax tree into a matcher, with gobwas' simplifications (they decide what its oddities match). */
export function compileNode(node: GlobNode, separators: string): Matcher {
  switch (node.kind) {
    case 'anyOf': {
      const factored = factorAlternatives(node.children);
      if (factored !== undefined) return compileNode(factored, separators);
      return new AnyOfMatcher(compileChildren(node.children, separators));
    }
    case 'pattern':
      if (node.children.length === 0) return nothing;
      return optimize(combine(minimize(compileChildren(node.children, separators))));
    case 'any':
      return optimize(new AnyMatcher(separators));
    case 'super':
      return superMatcher;
    case 'single':
      return new OneMatcher('single', separators, false, (code) => !separators.includes(String.fromCodePoint(code)));
    case 'nothing':
      return nothing;
    case 'list':
      return optimize(listMatcher(node.chars, node.not));
    case 'range': {
      const { low, high, not } = node;
      return new OneMatcher('range', '', not, (code) => (code >= low && code <= high) !== not);
    }
    case 'text':
      return new TextMatcher(byteString(node.text));
    default:
      return node satisfies never;
  }
}

/** Text as one character per byte. */
export function byteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function listMatcher(chars: readonly string[], not: boolean): Matcher {
  const codes = new Set(chars.map((char) => char.codePointAt(0)));
  return new OneMatcher('list', chars.join(''), not, (code) => codes.has(code) !== not);
}

function compileChildren(children: readonly GlobNode[], separators: string): Matcher[] {
  return children.map((child) => optimize(compileNode(child, separators)));
}

function optimize(matcher: Matcher): Matcher {
  if (matcher instanceof AnyMatcher) return matcher.separators === '' ? superMatcher : matcher;
  if (matcher instanceof AnyOfMatcher) return matcher.matchers.length === 1 ? (matcher.matchers[0] ?? matcher) : matcher;
  if (matcher instanceof OneMatcher) {
    const single = matcher.kind === 'list' && !matcher.not && [...matcher.chars].length === 1;
    return single ? new TextMatcher(byteString(matcher.chars)) : matcher;
  }
  return matcher instanceof TreeMatcher ? optimizeTree(matcher) : matcher;
}

function optimizeTree(tree: TreeMatcher): Matcher {
  const left = tree.left === undefined ? undefined : optimize(tree.left);
  const right = tree.right === undefined ? undefined : optimize(tree.right);
  if (tree.value instanceof TextMatcher) {
    const simpler = simplerTree(tree.value.text, left, right);
    if (simpler !== undefined) return simpler;
  }
  return new TreeMatcher(tree.value, left, right);
}

function simplerTree(text: string, left: Matcher | undefined, right: Matcher | undefined): Matcher | undefined {
  const leftSuper = left === superMatcher;
  const rightSuper = right === superMatcher;
  if (left === undefined && right === undefined) return new TextMatcher(text);
  if (leftSuper && rightSuper) return new ContainsMatcher(text, false);
  if (leftSuper && right === undefined) return new SuffixMatcher(text);
  if (rightSuper && left === undefined) return new PrefixMatcher(text);
  if (left === undefined && right instanceof SuffixMatcher) return new PrefixSuffixMatcher(text, right.suffix);
  if (right === undefined && left instanceof PrefixMatcher) return new PrefixSuffixMatcher(left.prefix, text);
  if (right === undefined && left instanceof AnyMatcher) return new SuffixAnyMatcher(text, left.separators);
  if (left === undefined && right instanceof AnyMatcher) return new PrefixAnyMatcher(text, right.separators);
  return undefined;
}

/** One matcher for a sequence: the longest fixed part becomes the root of a tree. */
function combine(matchers: readonly Matcher[]): Matcher {
  const [first] = matchers;
  if (first === undefined) throw new GoError('compile error: need at least one matcher');
  if (matchers.length === 1) return first;
  const glued = glue(matchers);
  if (glued !== undefined) return glued;
  let index = -1;
  let longest = -1;
  for (const [i, { length }] of matchers.entries()) {
    if (length === -1 || length < longest) continue;
    longest = length;
    index = i;
  }
  const value = matchers[index];
  if (value === undefined) return new TreeMatcher(first, undefined, combine(matchers.slice(1)));
  const left = matchers.slice(0, index);
  const right = matchers.slice(index + 1);
  return new TreeMatcher(value, left.length > 0 ? combine(left) : undefined, right.length > 0 ? combine(right) : undefined);
}

function glue(matchers: readonly Matcher[]): Matcher | undefined {
  if (matchers.length <= 1) return undefined;
  return glueEvery(matchers) ?? glueRow(matchers);
}

function glueRow(matchers: readonly Matcher[]): Matcher | undefined {
  let total = 0;
  for (const { length } of matchers) {
    if (length === -1) return undefined;
    total += length;
  }
  return new RowMatcher(total, matchers);
}

/** What a matcher forbids, when it is one of those that can be glued. */
function forbidden(matcher: Matcher): string | undefined {
  if (matcher === superMatcher) return '';
  if (matcher instanceof AnyMatcher) return matcher.separators;
  if (matcher instanceof OneMatcher && (matcher.kind === 'single' || (matcher.kind === 'list' && matcher.not))) return matcher.chars;
  return undefined;
}

function glueEvery(matchers: readonly Matcher[]): Matcher | undefined {
  let separators: string | undefined;
  let any = false;
  let all = false;
  let singles = 0;
  for (const matcher of matchers) {
    const mine = forbidden(matcher);
    separators ??= mine;
    if (mine === undefined || mine !== separators) return undefined;
    if (matcher === superMatcher) all = true;
    else if (matcher instanceof AnyMatcher) any = true;
    else singles += 1;
  }
  const chars = separators ?? '';
  if (all && !any && singles === 0) return superMatcher;
  if (any && !all && singles === 0) return new AnyMatcher(chars);
  if ((any || all) && singles > 0 && chars === '') return new CountMatcher('min', singles);
  const every: Matcher[] = [];
  if (singles > 0) every.push(new CountMatcher('min', singles));
  if (singles > 0 && !any && !all) every.push(new CountMatcher('max', singles));
  if (chars !== '') every.push(new ContainsMatcher(byteString(chars), true));
  return new EveryMatcher(every);
}

/** Replaces the best run of neighbours by one matcher, again and again. */
function minimize(matchers: readonly Matcher[]): readonly Matcher[] {
  let best: { matcher: Matcher; from: number; to: number } | undefined;
  for (let from = 0; from < matchers.length; from++) {
    for (let to = matchers.length; to > from; to--) {
      const glued = glue(matchers.slice(from, to));
      if (glued === undefined) continue;
      const longer = best !== undefined && best.matcher.length > -1 && glued.length > best.matcher.length;
      if (best === undefined || longer || best.to - best.from < to - from) best = { matcher: glued, from, to };
    }
  }
  if (best === undefined) return matchers;
  const next = [...matchers.slice(0, best.from), best.matcher, ...matchers.slice(best.to)];
  return next.length === matchers.length ? next : minimize(next);
}

type Pattern = Extract<GlobNode, { children: GlobNode[] }>;

/** Takes what all alternatives have in common at their ends out of the braces. */
function factorAlternatives(alternatives: readonly GlobNode[]): GlobNode | undefined {
  const patterns = alternatives.filter((node): node is Pattern => node.kind === 'pattern');
  if (patterns.length !== alternatives.length) return undefined;
  const { left, right } = commonEnds(patterns);
  if (left.length === 0 && right.length === 0) return undefined;
  const middle: GlobNode[] = [];
  for (const { children } of patterns) {
    const rest = children.slice(left.length, children.length - right.length);
    const node: GlobNode = rest.length === 0 ? { kind: 'nothing' } : { kind: 'pattern', children: rest };
    if (!middle.some((known) => sameNode(known, node))) middle.push(node);
  }
  const result: GlobNode[] = left.length > 0 ? [{ kind: 'pattern', children: left }] : [];
  if (middle.length === 1 && middle[0] !== undefined && middle[0].kind !== 'nothing') result.push(middle[0]);
  else if (middle.length > 1) result.push({ kind: 'anyOf', children: middle });
  if (right.length > 0) result.push({ kind: 'pattern', children: right });
  return { kind: 'pattern', children: result };
}

function commonEnds(patterns: readonly Pattern[]): { left: GlobNode[]; right: GlobNode[] } {
  const left: GlobNode[] = [];
  const right: GlobNode[] = [];
  const shortest = patterns.reduce<Pattern | undefined>(
    (least, pattern) => (least === undefined || pattern.children.length < least.children.length ? pattern : least),
    undefined,
  );
  if (shortest === undefined || patterns.length <= 1) return { left, right };
  const size = shortest.children.length;
  let stopLeft = false;
  let stopRight = false;
  for (let i = 0, j = size - 1; left.length + right.length < size && j >= 0 && !(stopLeft && stopRight); i++, j--) {
    const fromLeft = shortest.children[i];
    const fromRight = shortest.children[j];
    for (const pattern of patterns) {
      if (stopLeft && stopRight) break;
      if (pattern === shortest) continue;
      stopLeft ||= !sameNode(fromLeft, pattern.children[i]);
      stopRight ||= !stopLeft && j <= i;
      stopRight ||= !sameNode(fromRight, pattern.children[j + pattern.children.length - size]);
    }
    if (!stopLeft && fromLeft !== undefined) left.push(fromLeft);
    if (!stopRight && fromRight !== undefined) right.unshift(fromRight);
  }
  return { left, right };
}

function sameNode(a: GlobNode | undefined, b: GlobNode | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
