type Level = { keys: Set<string> | undefined; path: string; index: number; key: string };

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** Paths of the keys that a JSON text (which must be valid) has more than once in one object: `data.a`, `list[0].b`. */
export function duplicateKeys(text: string): string[] {
  const found: string[] = [];
  const levels: Level[] = [];
  let level: Level | undefined;
  let isKey = false;
  for (const [token] of text.matchAll(TOKEN)) {
    switch (token) {
      case '{':
      case '[':
        if (level !== undefined) levels.push(level);
        level = { keys: token === '{' ? new Set() : undefined, path: level === undefined ? '' : pathOf(level), index: 0, key: '' };
        isKey = token === '{';
        break;
      case '}':
      case ']':
        level = levels.pop();
        isKey = false;
        break;
      case ',':
        if (level !== undefined) level.index += 1;
        isKey = level?.keys !== undefined;
        break;
      case ':':
        isKey = false;
        break;
      default:
        if (!isKey || level?.keys === undefined) break;
        level.key = JSON.parse(token) as string;
        if (level.keys.has(level.key)) found.push(pathOf(level));
        level.keys.add(level.key);
    }
  }
  return found;
}

function pathOf({ keys, path, index, key }: Level): string {
  if (keys === undefined) return `${path}[${index}]`;
  return path === '' ? key : `${path}.${key}`;
}
