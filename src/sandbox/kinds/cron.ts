const FIELDS: readonly { min: number; max: number; names: readonly string[] }[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];
const DESCRIPTORS = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);

/** What is wrong with a cron schedule, in the words of the parser Kubernetes uses; undefined when nothing is. */
export function scheduleFault(schedule: string): string | undefined {
  if (schedule.startsWith('@')) {
    if (DESCRIPTORS.has(schedule)) return undefined;
    if (/^@every (\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(schedule)) return undefined;
    return schedule.startsWith('@every ')
      ? `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(schedule.slice(7))}`
      : `unrecognized descriptor: ${schedule}`;
  }
  const parts = schedule
    .replace(/^(CRON_)?TZ=\S+\s*/, '')
    .split(/\s+/)
    .filter((part) => part !== '');
  if (parts.length !== FIELDS.length) return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`;
  for (const [i, part] of parts.entries()) {
    const field = FIELDS[i];
    for (const range of part.split(',')) {
      const why = field === undefined ? undefined : rangeFault(range, field);
      if (why !== undefined) return why;
    }
  }
  return undefined;
}

function rangeFault(text: string, { min, max, names }: (typeof FIELDS)[number]): string | undefined {
  const [range = '', step, more] = text.split('/');
  const [low = '', high, extra] = range.split('-');
  const read = (it: string): number | string => {
    const named = names.indexOf(it.toLowerCase());
    if (named >= 0 && it !== '') return named;
    return /^\d+$/.test(it) ? Number(it) : `failed to parse int from ${it}: strconv.Atoi: parsing ${JSON.stringify(it)}: invalid syntax`;
  };
  let [start, end]: [number | string, number | string] = [min, max];
  if (low !== '*' && low !== '?') {
    start = read(low);
    if (typeof start === 'string') return start;
    end = high === undefined ? (step === undefined ? start : max) : read(high);
    if (typeof end === 'string') return end;
    if (extra !== undefined) return `too many hyphens: ${text}`;
  }
  if (more !== undefined) return `too many slashes: ${text}`;
  const by = step === undefined ? 1 : read(step);
  if (typeof by === 'string') return by;
  if (start < min) return `beginning of range (${start}) below minimum (${min}): ${text}`;
  if (Number(end) > max) return `end of range (${end}) above maximum (${max}): ${text}`;
  if (start > Number(end)) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return by === 0 ? `step of range should be a positive number: ${text}` : undefined;
}
