// Makes docs/compatibility.md: which behaviours of Flux tests prove, found by the IDs in their titles, and where they passed.
// `node tools/compatibility.ts --record` notes what the last whole runs proved; `--check` fails when they proved less than is noted.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAMILIES } from './compatibility-rules.ts';
import { readResults, type Place, type Result } from './test-results.ts';

/** A test, or a group of tests made from a table, that names behaviours. */
type Proof = { ids: readonly string[]; file: string; title: string };

const ID = /\b(?:AG|OB|KB|HB|NB|[CEAKL])\d{2}\b/g;
/** A range of IDs, `KB43–KB48`. */
const RANGE = /\b(AG|OB|KB|HB|NB|[CEAKL])(\d{2})\s?[–-]\s?\1(\d{2})\b/g;
/** Titles: the first argument of a test, or the `name` of a row tests are made from. */
const TITLE = /(?:\b(?:test|it|describe)(?:\.\w+)?\(\s*|\bname:\s*)(['"`])((?:\\.|(?!\1)[^\\])*)\1/gs;
/** Tests shown for one ID. */
const SHOWN = 6;
const PLACE_ORDER: readonly Place[] = ['unit', 'sandbox', 'server'];
const PLACES: Readonly<Record<Place, string>> = { unit: 'unit', sandbox: 'sandbox', server: 'API server' };
/** Where the tests of each ID passed: `--record` writes it, CI checks it. */
const PASSED = 'tools/compatibility-passed.json';

/** The places where tests that name an ID passed. */
export type Passed = Readonly<Record<string, readonly Place[]>>;

/** The tests in a file that name behaviours. */
export function proofsIn(file: string, text: string): Proof[] {
  const proofs: Proof[] = [];
  for (const [, , raw = ''] of text.matchAll(TITLE)) {
    const ids = idsIn(raw);
    if (ids.length > 0) proofs.push({ ids, file, title: shownTitle(raw) });
  }
  return proofs;
}

/** The IDs in a title, ranges written out. */
function idsIn(title: string): string[] {
  const ids = new Set(title.match(ID));
  for (const [, family = '', from = '', to = ''] of title.matchAll(RANGE)) {
    for (let number = Number(from); number <= Number(to); number++) ids.add(`${family}${String(number).padStart(2, '0')}`);
  }
  return [...ids].sort();
}

/** A title without its IDs; what a table fills in is an ellipsis. */
function shownTitle(raw: string): string {
  const text = raw
    .replace(/\$\{[^}]*\}/g, '…')
    .replace(/\\(.)/g, '$1')
    .replace(/\s*\((?:(?:AG|OB|KB|HB|NB|[CEAKL])\d{2}(?:[,–-]\s?)?\s*)+\)/g, '')
    .replace(/^(?:(?:AG|OB|KB|HB|NB|[CEAKL])\d{2}[\s:,–-]*)+/, '')
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|')
    .trim();
  return text === '' || text === '…' ? 'cases of a table' : text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** Where each ID is proven: at least one test that names it passed there, and none failed. */
export function passedIn(results: readonly Result[]): Passed {
  const verdicts = new Map<string, Map<Place, boolean>>();
  for (const { place, title, passed } of results) {
    for (const id of idsIn(title)) {
      const places = verdicts.get(id) ?? new Map<Place, boolean>();
      places.set(place, passed && places.get(place) !== false);
      verdicts.set(id, places);
    }
  }
  const entries = [...verdicts].map(([id, places]) => [id, PLACE_ORDER.filter((place) => places.get(place) === true)] as const);
  return Object.fromEntries(entries.filter(([, places]) => places.length > 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is noted as passed and did not pass: `ID in PLACE`. */
export function unproven(noted: Passed, passed: Passed): string[] {
  return Object.entries(noted).flatMap(([id, places]) =>
    places.filter((place) => passed[id]?.includes(place) !== true).map((place) => `${id} in ${PLACES[place]}`),
  );
}

function readPassed(root: string): Passed {
  return JSON.parse(readFileSync(join(root, PASSED), 'utf8'));
}

/** The text of docs/compatibility.md. */
export function compatibilityText(root: string): string {
  const passed = readPassed(root);
  const files = globSync(['{src,test}/**/*.{test,cluster}.ts', 'src/**/testing/*-suite.ts'], { cwd: root }).sort();
  const byId = new Map<string, Proof[]>();
  for (const file of files) {
    for (const proof of proofsIn(file, readFileSync(join(root, file), 'utf8'))) {
      for (const id of proof.ids) byId.set(id, [...(byId.get(id) ?? []), proof]);
    }
  }
  const sections = FAMILIES.map(({ title, rules }) => {
    const ids = Object.keys(rules);
    const rows = ids.map((id) => `| ${id} | ${rules[id] ?? ''} | ${cell(byId.get(id) ?? [])} | ${passedCell(byId.has(id), passed[id])} |`);
    const proven = ids.filter((id) => byId.has(id)).length;
    return `## ${title}: ${proven} of ${ids.length}\n\n| ID | behaviour | tests | passed |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `# What is proven of Flux's behaviour

Generated from the titles of the tests by \`npm run generate\`; do not edit. *Passed* is where the tests that name an ID ran and all passed:
\`npm test\` (unit), \`npm run test:sandbox\` (the embedded API), \`npm run test:cluster\` (a real API server). CI notes nothing by itself: it runs
all three and fails when less passes than is noted here. A row without a test is a behaviour no test names yet.
Where Sluice differs from Flux on purpose is in [deviations.md](deviations.md).

${sections.join('\n')}`;
}

function cell(proofs: readonly Proof[]): string {
  if (proofs.length === 0) return '–';
  const seen = new Map(proofs.map(({ file, title }) => [`${file} ${title}`, `\`${file}\`: ${title}`]));
  const shown = [...seen.values()].slice(0, SHOWN);
  const more = seen.size > SHOWN ? [`and ${seen.size - SHOWN} more`] : [];
  return [...shown, ...more].join('<br>');
}

function passedCell(named: boolean, places: readonly Place[] = []): string {
  return named && places.length > 0 ? places.map((place) => `✔ ${PLACES[place]}`).join(', ') : '–';
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const passed = passedIn(readResults());
  if (process.argv.includes('--record')) {
    writeFileSync(join(root, PASSED), `${JSON.stringify(passed, undefined, 2)}\n`);
    process.stdout.write(`wrote ${PASSED}: ${Object.keys(passed).length} behaviours\n`);
  } else {
    const missing = unproven(readPassed(root), passed);
    for (const claim of missing) process.stderr.write(`✗ noted as passed, but no test of it passed or one failed: ${claim}\n`);
    process.stdout.write(`${Object.keys(passed).length} behaviours proven by this run\n`);
    process.exit(missing.length === 0 ? 0 : 1);
  }
}
