// `npm run generate`: writes every generated file; with --check writes nothing and fails when one is stale.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dump } from 'js-yaml';
import { customResourceDefinition } from '../src/api/crd.ts';
import { kinds } from '../src/api/kinds.ts';
import { typeText } from '../src/api/type-text.ts';
import { compatibilityText } from './compatibility.ts';

/** Every generated file: its path from the root of the repository, and what it holds. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>([['src/api/generated.ts', typeText(kinds)]]);
  for (const kind of kinds) {
    const text = dump(customResourceDefinition(kind), { lineWidth: -1, noRefs: true, sortKeys: true });
    files.set(`deploy/crds/${kind.group}_${kind.plural}.yaml`, `---\n${text}`);
  }
  return files;
}

/** Files made from the tests: stale as soon as a test has another name, so `npm run ok` alone looks at them. */
function documents(root: string): Map<string, string> {
  return new Map([['docs/compatibility.md', compatibilityText(root)]]);
}

/** Paths of generated files that are missing or differ from what would be written. */
export function staleFiles(root: string, files: ReadonlyMap<string, string> = generatedFiles()): string[] {
  return [...files].filter(([path, text]) => readIfThere(join(root, path)) !== text).map(([path]) => path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const files = new Map([...generatedFiles(), ...documents(root)]);
  const stale = staleFiles(root, files);
  if (process.argv.includes('--check')) {
    for (const path of stale) process.stderr.write(`${path} is stale: run \`npm run generate\`\n`);
    process.exit(stale.length === 0 ? 0 : 1);
  }
  for (const path of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), files.get(path) ?? '');
    process.stdout.write(`wrote ${path}\n`);
  }
}
