// Makes docs/compatibility.md: which behaviours of Flux tests prove, found by the IDs in their titles.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAMILIES } from './compatibility-rules.ts';

/** A test, or a group of tests made from a table, that names behaviours. */
type Proof = { ids: readonly string[]; file: string; title: string };

const ID = /\b(?:AG|OB|KB|HB|NB|[CEAKL])\d{2}\b/g;
/** A range of IDs, `KB43–KB48`. */
const RANGE = /\b(AG|OB|KB|HB|NB|[CEAKL])(\d{2})\s?[–-]\s?\1(\d{2})\b/g;
/** Titles: the first argument of a test, or the `name` of a row tests are made from. */
const TITLE = /(?:\b(?:test|it|describe)(?:\.\w+)?\(\s*|\bname:\s*)(['"`])((?:\\.|(?!\1)[^\\])*)\1/gs;
/** Tests shown for one ID. */
const SHOWN = 6;

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

/** The text of docs/compatibility.md. */
export function compatibilityText(root: string): string {
  const files = globSync('{src,test}/**/*.{test,cluster}.ts', { cwd: root }).sort();
  const byId = new Map<string, Proof[]>();
  for (const file of files) {
    for (const proof of proofsIn(file, readFileSync(join(root, file), 'utf8'))) {
      for (const id of proof.ids) byId.set(id, [...(byId.get(id) ?? []), proof]);
    }
  }
  const sections = FAMILIES.map(({ title, rules }) => {
    const ids = Object.keys(rules);
    const rows = ids.map((id) => `| ${id} | ${rules[id] ?? ''} | ${cell(byId.get(id) ?? [])} |`);
    const proven = ids.filter((id) => byId.has(id)).length;
    return `## ${title}: ${proven} of ${ids.length}\n\n| ID | behaviour | tests |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `# What is proven of Flux's behaviour

Generated from the titles of the tests by \`npm run generate\`; do not edit. Every test listed runs in CI and must pass there: \`*.test.ts\` by
\`npm test\`, \`*.cluster.ts\` by \`npm run test:cluster\`, on a real API server. A row without a test is a behaviour no test names yet.
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
