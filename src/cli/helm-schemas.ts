import { helmError, parseSchema, type SchemaLoader } from '../helm/index.ts';
import { errorMessage, isCodedError, parseDuration } from '../std/index.ts';
import { isHttpUrl } from './helm-chart-repository.ts';
import { Downloads } from './helm-download.ts';

/** Bytes of one schema that values.schema.json refers to, how many there may be, and milliseconds one may take (Helm's timeout). */
export const MAX_SCHEMA_DOWNLOAD: number = 5 * 1024 * 1024;
export const MAX_SCHEMAS = 50;
const SCHEMA_DEADLINE = 15_000;

type Document = ReturnType<SchemaLoader>;

/**
 * Renders, and downloads the schemas on the web that the chart's schema refers to, as Helm does: each time one is missed it is fetched,
 * and the render begins again. One that cannot be had is a problem of the values, in Helm's words.
 */
export async function renderWithSchemas<T>(timeout: string, render: (load: SchemaLoader) => T): Promise<T> {
  const documents = new Map<string, () => Document>();
  await using downloads = new Downloads({}, { signal: AbortSignal.timeout(parseDuration(timeout)), deadline: SCHEMA_DEADLINE });
  for (;;) {
    try {
      return render((url) => documents.get(url)?.());
    } catch (error) {
      if (!isCodedError(error, 'SchemaReferenceRefused')) throw error;
      const { subject: url = '' } = error;
      if (!isHttpUrl(url) || documents.has(url) || documents.size >= MAX_SCHEMAS) throw error;
      documents.set(url, await download(downloads, url));
    }
  }
}

async function download(downloads: Downloads, url: string): Promise<() => Document> {
  try {
    const document = parseSchema(Buffer.from(await downloads.get({ url, limit: MAX_SCHEMA_DOWNLOAD })).toString('utf8'));
    return () => document;
  } catch (error) {
    const message = `failing loading ${JSON.stringify(url)}: ${failure(url, errorMessage(error))}`;
    return () => {
      throw helmError('SchemaInvalid', message, { subject: url, cause: error });
    };
  }
}

function failure(url: string, cause: string): string {
  const [, status, text] = / : (\d{3}) (.*)$/.exec(cause) ?? [];
  return status === undefined ? `HTTP request failed for ${url}: ${cause}` : `HTTP request to ${url} returned status ${status} (${text})`;
}
