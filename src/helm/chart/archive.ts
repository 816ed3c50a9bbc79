import { gunzipSync } from 'node:zlib';
import { cleanPath, quote } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import { helmError } from '../errors.ts';
import { ChartFile } from './chart.ts';
import { readTar } from './tar.ts';

/** Bytes of one file of a chart (Helm's MaxDecompressedFileSize). */
export const MAX_FILE_SIZE: number = 5 * 1024 * 1024;
/** Bytes of all files of a chart (Helm's MaxDecompressedChartSize). */
export const MAX_CHART_SIZE: number = 100 * 1024 * 1024;
/** What headers and padding may add to the files of a packed chart. */
const TAR_OVERHEAD = 64 * 1024 * 1024;

/**
 * The files of a packed chart (.tgz), named relative to the folder they are packed in.
 * @throws CodedError `ArchiveInvalid`, `LimitExceeded`
 */
export function readArchive(bytes: Uint8Array): ChartFile[] {
  const files: ChartFile[] = [];
  let remaining = MAX_CHART_SIZE;
  for (const { name, size, data } of entries(bytes)) {
    const path = chartPath(name);
    if (size > remaining) throw tooLarge();
    if (size > MAX_FILE_SIZE) {
      throw helmError('LimitExceeded', `decompressed chart file ${quote(name)} is larger than the maximum file size ${MAX_FILE_SIZE}`, {
        subject: name,
      });
    }
    remaining -= size;
    if (remaining <= 0) throw tooLarge();
    files.push(new ChartFile(path, withoutBom(data)));
  }
  if (files.length === 0) throw helmError('ArchiveInvalid', 'no files in chart archive');
  return files;
}

function* entries(bytes: Uint8Array): ReturnType<typeof readTar> {
  try {
    yield* readTar(gunzip(bytes));
  } catch (error) {
    if (error instanceof Error && error.name === 'CodedError') throw error;
    throw helmError('ArchiveInvalid', errorMessage(error), { cause: error });
  }
}

function gunzip(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 2) throw new Error('EOF');
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw new Error('gzip: invalid header');
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_CHART_SIZE + TAR_OVERHEAD });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge();
    throw new Error(errorMessage(error) === 'unexpected end of file' ? 'unexpected EOF' : `gzip: ${errorMessage(error)}`, { cause: error });
  }
}

function tooLarge(): Error {
  return helmError('LimitExceeded', `decompressed chart is larger than the maximum size ${MAX_CHART_SIZE}`);
}

/** The name of an archive member below the chart's folder. Refuses whatever could mean a place outside of it. */
function chartPath(name: string): string {
  const delimiter = name.includes('\\') ? '\\' : '/';
  const parts = name.split(delimiter);
  const path = parts.slice(1).join('/');
  if (path.startsWith('/')) throw refused('chart illegally contains absolute paths');
  const clean = cleanPath(path);
  if (clean === '.') throw refused(`chart illegally contains content outside the base directory: ${quote(name)}`);
  if (clean.startsWith('..')) throw refused('chart illegally references parent directory');
  if (/^[a-zA-Z]:\//.test(clean)) throw refused('chart contains illegally named files');
  if (parts[0] === 'Chart.yaml') throw refused('chart yaml not in base directory');
  return clean;
}

function refused(message: string): Error {
  return helmError('ArchiveInvalid', message);
}

export function withoutBom(data: Uint8Array): Uint8Array {
  return data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf ? data.subarray(3) : data;
}
