import { GoMap, quote } from '../../golang/index.ts';
import type { FileTree } from '../../manifest/index.ts';
import { digestOf, errorMessage, isCodedError, Lru } from '../../std/index.ts';
import { helmError, type HelmErrorCode } from '../errors.ts';
import { readValuesDocuments } from '../values/documents.ts';
import { MAX_CHART_SIZE, MAX_FILE_SIZE, readArchive, withoutBom } from './archive.ts';
import { ChartFile, type Chart, type ChartLock, type ChartMetadata } from './chart.ts';
import { parseIgnore, type IgnoreRules } from './ignore.ts';
import { readLock, readMetadata, validateMetadata } from './metadata.ts';

/** Charts inside charts. */
export const MAX_CHART_DEPTH = 20;
/** Files a chart folder may have, ignored ones included. */
export const MAX_CHART_FILES = 100_000;

/** Loaded packages by digest of their bytes; a chart never changes, so one can serve everybody. */
const packages = new Lru<string, Chart>(64);

/**
 * Loads a chart from a folder (its .helmignore applies) or from the bytes of a package (.tgz). Packages are read once per content.
 * @throws CodedError `ArchiveInvalid`, `ChartInvalid`, `LimitExceeded`
 */
export function loadChart(source: FileTree | Uint8Array): Chart {
  if (!(source instanceof Uint8Array)) return loadFiles(filesOfTree(source), 0);
  const digest = digestOf(source);
  let chart = packages.get(digest);
  if (chart === undefined) {
    chart = loadFiles(readArchive(source), 0);
    packages.set(digest, chart);
  }
  return chart;
}

function filesOfTree(tree: FileTree): ChartFile[] {
  const ignored = parseIgnore(Buffer.from(withoutBom(tree.read('.helmignore') ?? new Uint8Array())).toString());
  const files: ChartFile[] = [];
  let size = 0;
  for (const path of walk(tree, '', ignored)) {
    if (files.length >= MAX_CHART_FILES) throw helmError('LimitExceeded', `load chart: more than ${MAX_CHART_FILES} files`);
    const data = tree.read(path);
    if (data === undefined) throw helmError('ChartInvalid', `error reading ${path}: file does not exist`, { subject: path });
    if (data.length > MAX_FILE_SIZE) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      throw helmError('LimitExceeded', `chart file ${quote(name)} is larger than the maximum file size ${MAX_FILE_SIZE}`, {
        subject: path,
      });
    }
    size += data.length;
    if (size > MAX_CHART_SIZE) throw helmError('LimitExceeded', `load chart: files are larger than the maximum size ${MAX_CHART_SIZE}`);
    files.push(new ChartFile(path, withoutBom(data)));
  }
  return files;
}

function* walk(tree: FileTree, directory: string, ignored: IgnoreRules): Generator<string> {
  for (const { name, kind } of tree.list(directory)) {
    const path = directory === '' ? name : `${directory}/${name}`;
    if (ignored(path, kind === 'directory')) continue;
    if (kind === 'directory') yield* walk(tree, path, ignored);
    else yield path;
  }
}

function loadFiles(files: readonly ChartFile[], depth: number): Chart {
  if (depth > MAX_CHART_DEPTH) throw helmError('LimitExceeded', `load chart: charts nest deeper than ${MAX_CHART_DEPTH}`);
  const draft = new ChartDraft(files);
  for (const file of files) draft.take(file);
  const metadata = draft.validMetadata();
  const dependencies = [...draft.subcharts].flatMap(([name, members]) => loadSubchart(name, members, metadata.name, depth + 1) ?? []);
  return {
    metadata,
    lock: draft.lock,
    templates: draft.templates,
    values: draft.values ?? new GoMap(),
    hasValues: draft.values !== undefined,
    schema: draft.schema,
    files: draft.files,
    raw: files,
    dependencies,
    warnings: draft.warnings,
  };
}

/** A chart under charts/: a folder or a package. Names that begin with `_` or `.` are passed over. */
function loadSubchart(name: string, members: readonly ChartFile[], parent: string, depth: number): Chart | undefined {
  if (name.startsWith('_') || name.startsWith('.')) return undefined;
  const failed = (error: unknown): Error => {
    const code: HelmErrorCode = isCodedError(error, 'LimitExceeded') ? 'LimitExceeded' : 'ChartInvalid';
    return helmError(code, `error unpacking subchart ${name} in ${parent}: ${errorMessage(error)}`, { subject: name, cause: error });
  };
  const [first] = members;
  if (name.endsWith('.tgz')) {
    if (first === undefined || first.name !== name) {
      throw helmError('ChartInvalid', `error unpacking subchart tar in ${parent}: expected ${name}, got ${first?.name ?? ''}`, {
        subject: name,
      });
    }
    try {
      return loadFiles(readArchive(first.data), depth);
    } catch (error) {
      throw failed(error);
    }
  }
  const inner = members.flatMap((file) => {
    const slash = file.name.indexOf('/');
    return slash < 0 ? [] : [new ChartFile(file.name.slice(slash + 1), file.data)];
  });
  try {
    return loadFiles(inner, depth);
  } catch (error) {
    throw failed(error);
  }
}

/** A chart while its files are sorted out. */
class ChartDraft {
  readonly templates: ChartFile[] = [];
  readonly files: ChartFile[] = [];
  readonly subcharts = new Map<string, ChartFile[]>();
  readonly warnings: string[] = [];
  lock: ChartLock | undefined;
  values: GoMap | undefined;
  schema: ChartFile | undefined;
  #metadata: ChartMetadata | undefined;

  constructor(files: readonly ChartFile[]) {
    for (const file of files) {
      if (file.name !== 'Chart.yaml') continue;
      this.#metadata = readMetadata(file.text, file.name, this.#metadata);
      if (this.#metadata.apiVersion === '') this.#metadata.apiVersion = 'v1';
    }
  }

  take(file: ChartFile): void {
    switch (file.name) {
      case 'Chart.yaml':
        return;
      case 'Chart.lock':
        this.lock = readLock(file.text, file.name);
        return;
      case 'values.yaml':
        this.values = readChartValues(file);
        return;
      case 'values.schema.json':
        this.schema = file;
        return;
      case 'requirements.yaml':
        this.#warnUnlessV1(
          'Warning: Dependencies are handled in Chart.yaml since apiVersion "v2". We recommend migrating dependencies to Chart.yaml.',
        );
        this.#metadata = readMetadata(file.text, file.name, this.#metadata);
        if (this.#metadata.apiVersion === 'v1') this.files.push(file);
        return;
      case 'requirements.lock':
        this.lock = readLock(file.text, file.name);
        this.#warnUnlessV1(
          'Warning: Dependency locking is handled in Chart.lock since apiVersion "v2". We recommend migrating to Chart.lock.',
        );
        if (this.#metadata?.apiVersion === 'v1') this.files.push(file);
        return;
      default:
        this.#takeOther(file);
    }
  }

  validMetadata(): ChartMetadata {
    if (this.#metadata === undefined) throw helmError('ChartInvalid', 'Chart.yaml file is missing');
    validateMetadata(this.#metadata);
    return this.#metadata;
  }

  #takeOther(file: ChartFile): void {
    if (file.name.startsWith('templates/')) this.templates.push(file);
    else if (!file.name.startsWith('charts/') || file.name.endsWith('.prov')) this.files.push(file);
    else {
      const name = file.name.slice('charts/'.length);
      const chart = name.split('/')[0] ?? name;
      const members = this.subcharts.get(chart) ?? [];
      this.subcharts.set(chart, members);
      members.push(new ChartFile(name, file.data));
    }
  }

  #warnUnlessV1(warning: string): void {
    if (this.#metadata?.apiVersion !== 'v1') this.warnings.push(warning);
  }
}

function readChartValues(file: ChartFile): GoMap {
  try {
    return readValuesDocuments(file.text);
  } catch (error) {
    throw helmError('ChartInvalid', `cannot load values.yaml: ${errorMessage(error)}`, { subject: file.name, cause: error });
  }
}
