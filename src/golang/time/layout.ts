/** The elements of a Go time layout. */
export type Element =
  | 'January'
  | 'Jan'
  | '1'
  | '01'
  | 'Monday'
  | 'Mon'
  | '2'
  | '_2'
  | '02'
  | '__2'
  | '002'
  | '15'
  | '3'
  | '03'
  | '4'
  | '04'
  | '5'
  | '05'
  | '2006'
  | '06'
  | 'PM'
  | 'pm'
  | 'MST'
  | 'Z0700'
  | 'Z070000'
  | 'Z07'
  | 'Z07:00'
  | 'Z07:00:00'
  | '-0700'
  | '-070000'
  | '-07'
  | '-07:00'
  | '-07:00:00'
  /** A fractional second: `.000` (all digits shown) or `.999` (trailing zeros dropped); `,` also separates. */
  | 'fraction';

/** Literal text and the element after it; no element at the end of the layout. */
export type Chunk = {
  readonly prefix: string;
  readonly element: Element | undefined;
  /** The element as it stands in the layout. */
  readonly text: string;
};

const fixedElements: readonly Element[] = [
  'January',
  'Monday',
  'MST',
  '2006',
  '15',
  'PM',
  'pm',
  '002',
  '01',
  '02',
  '03',
  '04',
  '05',
  '06',
  '-070000',
  '-07:00:00',
  '-0700',
  '-07:00',
  '-07',
  'Z070000',
  'Z07:00:00',
  'Z0700',
  'Z07:00',
  'Z07',
  '__2',
  '1',
  '2',
  '3',
  '4',
  '5',
];

const byFirst = new Map<string, Element[]>();
for (const element of fixedElements) {
  const first = element[0] ?? '';
  byFirst.set(first, [...(byFirst.get(first) ?? []), element]);
}

const MAX_CACHED = 500;
const cache = new Map<string, readonly Chunk[]>();

/** Splits a layout into its chunks. */
export function layoutChunks(layout: string): readonly Chunk[] {
  const known = cache.get(layout);
  if (known !== undefined) return known;
  const chunks: Chunk[] = [];
  let from = 0;
  let at = 0;
  while (at < layout.length) {
    const found = elementAt(layout, at);
    if (found === undefined) {
      at += 1;
      continue;
    }
    const start = at + found.skip;
    chunks.push({ prefix: layout.slice(from, start), element: found.element, text: layout.slice(start, start + found.length) });
    at = start + found.length;
    from = at;
  }
  chunks.push({ prefix: layout.slice(from), element: undefined, text: '' });
  if (cache.size < MAX_CACHED && layout.length < 200) cache.set(layout, chunks);
  return chunks;
}

type Found = { element: Element; length: number; skip: number };

function elementAt(layout: string, at: number): Found | undefined {
  const char = layout[at] ?? '';
  if (char === '.' || char === ',') return fractionAt(layout, at);
  if (char === '_' && layout[at + 1] === '2') {
    // `_2006` is a literal underscore before the year.
    return layout.startsWith('2006', at + 1) ? { element: '2006', length: 4, skip: 1 } : { element: '_2', length: 2, skip: 0 };
  }
  for (const element of byFirst.get(char) ?? []) {
    if (layout.startsWith(element, at)) return { element, length: element.length, skip: 0 };
  }
  const short = layout.slice(at, at + 3);
  if ((short === 'Jan' || short === 'Mon') && !/[a-z]/.test(layout[at + 3] ?? '')) return { element: short, length: 3, skip: 0 };
  return undefined;
}

function fractionAt(layout: string, at: number): Found | undefined {
  const digits = /^(?:0+|9+)(?!\d)/.exec(layout.slice(at + 1));
  return digits === null ? undefined : { element: 'fraction', length: 1 + digits[0].length, skip: 0 };
}

export const longMonths: readonly string[] = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const longDays: readonly string[] = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** time.RFC3339Nano. */
export const RFC3339_NANO = '2006-01-02T15:04:05.999999999Z07:00';
