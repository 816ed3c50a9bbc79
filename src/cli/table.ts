/** Columns as `flux get` prints them: padded cells, each followed by a tab. */
export function formatTable(header: readonly string[] | undefined, rows: readonly (readonly string[])[]): string {
  const all = header === undefined ? rows : [header, ...rows];
  const widths: number[] = [];
  for (const row of all) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, [...cell].length)));
  return all
    .map((row) => `${row.map((cell, column) => `${cell}${' '.repeat((widths[column] ?? 0) - [...cell].length)}\t`).join('')}\n`)
    .join('');
}

/** Cuts the hashes in a revision or message to eight digits, as Flux does for tables. */
export function shortenHashes(text: string): string {
  return text
    .replace(/\b(sha1|sha256|sha384|sha512):([0-9a-f]{8})[0-9a-f]+/g, '$1:$2')
    .replace(/(?<![:\w])([0-9a-f]{8})[0-9a-f]{32}(?!\w)/g, '$1');
}
