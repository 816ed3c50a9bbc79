// Checks that src/ is the house the architecture describes: known rooms, doors only, allowed directions, a README and an index each.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ROOMS, VAGUE_NAMES } from './house.ts';

const root = join(import.meta.dirname, '..');

/** The room a file under src/ belongs to, such as `oci` or `controllers/source`. */
export function roomOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'controllers' ? `${first}/${second}` : first;
}

/** The relative modules a TypeScript source imports or re-exports. */
export function importsOf(source: string): string[] {
  const found = source.matchAll(
    /(?:^|[\s;}])(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|^import\s+['"]([^'"]+)['"]/gm,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? '').filter((specifier) => specifier.startsWith('.'));
}

/** What is wrong with one file's imports, in words. */
export function importFaults(path: string, source: string): string[] {
  const room = roomOf(path);
  const allowed = ROOMS[room];
  if (allowed === undefined) return [`src/${path}: "${room}" is not a room: see tools/house.ts`];
  const test = /\.(test|cluster)\.ts$/.test(path) || path.includes('/testing/');
  const faults: string[] = [];
  for (const specifier of importsOf(source)) {
    const target = join(dirname(path), specifier);
    if (target.startsWith('..')) {
      if (!test) faults.push(`src/${path}: imports "${specifier}" from outside src/`);
      continue;
    }
    const other = roomOf(target);
    if (other === room) continue;
    if (!allowed.includes(other) && !test) faults.push(`src/${path}: room "${room}" may not import room "${other}"`);
    if (target !== `${other}/index.ts` && !(test && target.includes('/testing/')))
      faults.push(`src/${path}: imports src/${target} past the door src/${other}/index.ts`);
  }
  return faults;
}

function check(): string[] {
  const faults: string[] = [];
  const files = globSync('**/*.ts', { cwd: join(root, 'src') }).sort();
  const rooms = new Set(files.map(roomOf));
  for (const room of rooms) {
    for (const plate of ['index.ts', 'README.md']) {
      if (room !== 'cli' || plate !== 'index.ts')
        if (!existsSync(join(root, 'src', room, plate))) faults.push(`src/${room}: has no ${plate}`);
    }
  }
  for (const file of files) {
    const vague = dirname(file)
      .split('/')
      .find((part) => VAGUE_NAMES.includes(part));
    if (vague !== undefined) faults.push(`src/${file}: folder name "${vague}" says nothing`);
    faults.push(...importFaults(file, readFileSync(join(root, 'src', file), 'utf8')));
  }
  return faults;
}

if (process.argv[1] !== undefined && relative(import.meta.filename, process.argv[1]) === '') {
  const faults = check();
  for (const fault of faults) process.stderr.write(`✗ ${fault}\n`);
  process.exit(faults.length > 0 ? 1 : 0);
}
