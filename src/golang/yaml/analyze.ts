/** What a scalar's text allows: libyaml's analysis, as bits so that it can be remembered. */
export const MULTILINE = 1;
export const FLOW_PLAIN = 2;
export const BLOCK_PLAIN = 4;
export const SINGLE = 8;
export const BLOCK = 16;

const NEL = 0x85;
const LS = 0x2028;
const PS = 0x2029;
const BOM = 0xfeff;

/** A character the emitter takes for a line break. */
export function isBreakCode(c: number): boolean {
  return c === 10 || c === 13 || c === NEL || c === LS || c === PS;
}

/** A character that stands for itself; one beyond the BMP never does. A tab is left to the caller. */
export function isPrintable(c: number): boolean {
  if (c < 0x7f) return c >= 0x20 || c === 0x0a;
  if (c < 0xa0) return false;
  return c < 0xd800 || (c > 0xdfff && c < 0xfffe && c !== BOM);
}

/* Classes of ASCII characters: what they do at the start of a scalar, and inside. */
const START_FLOW = 1;
const START_BLOCK = 2;
const INSIDE_FLOW = 4;
const SPECIAL = 8;
const classes = new Uint8Array(128);
for (let c = 0; c < 128; c++) if (!isPrintable(c)) classes[c] = SPECIAL;
for (const c of '#,[]{}&*!|>\'"%@`') classes[c.charCodeAt(0)]! |= START_FLOW | START_BLOCK;
for (const c of ',?[]{}') classes[c.charCodeAt(0)]! |= INSIDE_FLOW;
for (const c of ' \n:#-?.') classes[c.charCodeAt(0)]! |= SPECIAL;

/** What a text allows that is one word without any meaning in YAML's syntax; 0 when it needs a closer look. */
function analyzeWord(text: string): number {
  const first = text.charCodeAt(0);
  if (first > 127 || (classes[first]! !== 0 && classes[first]! !== INSIDE_FLOW)) return 0;
  let seen = 0;
  for (let i = 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 127) return 0;
    // `-` and `.` mean nothing inside a word.
    if ((classes[c]! & SPECIAL) !== 0 && c !== 45 && c !== 46) return 0;
    seen |= classes[c]!;
  }
  return (seen & INSIDE_FLOW) === 0 ? FLOW_PLAIN | BLOCK_PLAIN | SINGLE | BLOCK : BLOCK_PLAIN | SINGLE | BLOCK;
}

/** Analyzes a scalar. In `modern` (yaml.v3) a tab does not forbid a block. */
export function analyze(text: string, modern: boolean): number {
  if (text === '') return BLOCK_PLAIN | SINGLE;
  const word = analyzeWord(text);
  return word === 0 ? analyzeFully(text, modern) : word;
}

function analyzeFully(text: string, modern: boolean): number {
  const { length } = text;
  let flowIndicators = false;
  let blockIndicators = false;
  let breaks = false;
  let special = false;
  let tabs = false;
  let breakSpace = false;
  let spaceBreak = false;
  let previousSpace = false;
  let previousBreak = false;
  let afterBlank = true;
  if (text.startsWith('---') || text.startsWith('...')) {
    flowIndicators = true;
    blockIndicators = true;
  }
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    if (c < 128 && classes[c] === 0) {
      previousSpace = false;
      previousBreak = false;
      afterBlank = false;
      continue;
    }
    if (c === 32) {
      if (previousBreak) breakSpace = true;
      previousSpace = true;
      previousBreak = false;
      afterBlank = true;
      continue;
    }
    const ascii = c < 128 ? classes[c]! : 0;
    if (i === 0) {
      if ((ascii & START_FLOW) !== 0) {
        flowIndicators = true;
        blockIndicators = true;
      } else if (c === 63 || c === 58) {
        flowIndicators = true;
        if (blankFollows(text, i)) blockIndicators = true;
      } else if (c === 45 && blankFollows(text, i)) {
        flowIndicators = true;
        blockIndicators = true;
      }
    } else if ((ascii & INSIDE_FLOW) !== 0) {
      flowIndicators = true;
    } else if (c === 58) {
      flowIndicators = true;
      if (blankFollows(text, i)) blockIndicators = true;
    } else if (c === 35 && afterBlank) {
      flowIndicators = true;
      blockIndicators = true;
    }
    if (modern && c === 9) tabs = true;
    else if (!isPrintable(c)) special = true;
    if (isBreakCode(c)) {
      breaks = true;
      if (previousSpace) spaceBreak = true;
      previousBreak = true;
      afterBlank = true;
    } else {
      previousBreak = false;
      afterBlank = c === 9 || c === 0;
    }
    previousSpace = false;
  }
  const first = text.charCodeAt(0);
  const last = text.charCodeAt(length - 1);
  const edges = first === 32 || last === 32 || isBreakCode(first) || isBreakCode(last);
  const plain = !(edges || breakSpace || spaceBreak || tabs || special || breaks);
  let allowed = breaks ? MULTILINE : 0;
  if (plain && !flowIndicators) allowed |= FLOW_PLAIN;
  if (plain && !blockIndicators) allowed |= BLOCK_PLAIN;
  if (!(breakSpace || spaceBreak || tabs || special)) allowed |= SINGLE;
  if (!(last === 32 || spaceBreak || special)) allowed |= BLOCK;
  return allowed;
}

function blankFollows(text: string, i: number): boolean {
  const next = text.charCodeAt(i + 1);
  return i + 1 >= text.length || next === 32 || next === 9;
}
