import { readFileSync } from 'node:fs';
import { parseUrl, type GoMap } from '../golang/index.ts';
import { mergeUserValues } from '../helm/index.ts';
import { errorMessage, parseDuration } from '../std/index.ts';
import { usage } from './artifact-registry.ts';
import { isHttpUrl } from './helm-chart-repository.ts';
import { Downloads } from './helm-download.ts';

/** Bytes of a values file that is downloaded. */
export const MAX_VALUES_DOWNLOAD: number = 32 * 1024 * 1024;

/** Helm's flags for values. */
export type ValuesFlags = {
  values?: string[];
  set?: string[];
  setString?: string[];
  setJson?: string[];
  setFile?: string[];
  setLiteral?: string[];
  timeout: string;
};

/** What came of a read: the value, or the error it ended in. */
type Outcome<T> = () => T;

/**
 * The values these flags give. Files may be URLs (http, https), those of `--set-file` too; nothing that is meant for the chart's
 * repository is sent there.
 * @throws CodedError with Helm's text
 */
export async function readUserValues(flags: ValuesFlags): Promise<GoMap> {
  await using downloads = new Downloads({}, { signal: AbortSignal.timeout(parseDuration(flags.timeout)) });
  const known = new Map<string, Outcome<string>>();
  const read = async (name: string): Promise<Outcome<string>> => {
    const found = known.get(name) ?? (isHttpUrl(name) ? await settle(async () => await downloadText(downloads, name)) : readLocal(name));
    known.set(name, found);
    return found;
  };
  const files: { name: string; text: string }[] = [];
  for (const name of flags.values ?? []) files.push({ name, text: (await read(name))() });
  // Which files --set-file reads shows only while the values are put together; when one was not there yet, that is done again.
  for (;;) {
    const missing = new Set<string>();
    const readFile = (name: string): string => {
      const text = known.get(name);
      if (text === undefined) missing.add(name);
      return text?.() ?? '';
    };
    const merged = outcome(() => mergeUserValues({ ...flags, files, readFile }));
    if (missing.size === 0) return merged();
    for (const name of missing) await read(name);
  }
}

async function downloadText(downloads: Downloads, url: string): Promise<string> {
  return Buffer.from(await downloads.get({ url, limit: MAX_VALUES_DOWNLOAD })).toString('utf8');
}

async function settle<T>(run: () => Promise<T>): Promise<Outcome<T>> {
  try {
    const value = await run();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function outcome<T>(run: () => T): Outcome<T> {
  try {
    const value = run();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function readLocal(name: string): Outcome<string> {
  return outcome(() => {
    const stdin = name.trim() === '-';
    if (!stdin) parseUrl(name);
    try {
      return readFileSync(stdin ? 0 : name, 'utf8');
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      throw usage(missing ? `open ${name}: no such file or directory` : errorMessage(error));
    }
  });
}
