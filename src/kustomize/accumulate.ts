import { isYamlObject, readYaml } from '../golang/index.ts';
import { Accumulator } from './accumulator.ts';
import { absorb } from './absorb.ts';
import type { BuildContext } from './build-context.ts';
import { readConfigurations, readCrdConfig } from './configurations.ts';
import { errorMessage } from '../std/index.ts';
import { KustomizeError, restate, within, wrapError } from './errors.ts';
import { builtinGenerators } from './generate/generators.ts';
import { quote } from './go-text.ts';
import {
  configuredBy,
  deprecationWarnings,
  KUSTOMIZATION_FILES,
  normalizeKustomization,
  parseKustomization,
  type Kustomization,
} from './kustomization.ts';
import { absolute, type Loader } from './loader.ts';
import { mergeSchemaOf } from './openapi.ts';
import { appendOrigin } from './origin.ts';
import { loadGeneratorPlugins, loadTransformerPlugins, type Step } from './plugins.ts';
import { fileText, readObjects } from './read-documents.ts';
import { toResource, type Origin, type Resource } from './resource.ts';
import { builtinTransformers } from './transform/builtin.ts';
import { inFile } from './transform/patches.ts';
import { formatVarFields, markVarSources, toVar } from './transform/vars.ts';

/** The Kubernetes whose schema is built in. */
const BUILTIN_VERSION = 'v1.21.2';

/** One kustomization on its way from file to resources. */
export class Target {
  readonly kustomization: Kustomization;
  readonly loader: Loader;
  readonly context: BuildContext;
  readonly #file: string;
  #origin: Origin | undefined;
  /** Namespace an outer kustomization gives charts that are told none. */
  #helmNamespace: string;

  private constructor(loader: Loader, context: BuildContext, file: string, kustomization: Kustomization) {
    this.loader = loader;
    this.context = context;
    this.#file = file;
    this.kustomization = kustomization;
    this.#helmNamespace = '';
  }

  /** Reads the kustomization file of the loader's folder, unless it is given. */
  static load(loader: Loader, context: BuildContext, given?: Kustomization): Target {
    const { file, decoded } = given === undefined ? readFile(loader) : { file: 'kustomization.yaml', decoded: given };
    for (const { message } of deprecationWarnings(decoded)) {
      const path = loader.root === '' ? file : `${loader.root}/${file}`;
      context.diagnostics.push({ severity: 'warning', code: 'DeprecatedField', message, file: path });
    }
    context.count('kustomizations', 1);
    return new Target(loader, context, file, normalizeKustomization(decoded, absolute(loader.root)));
  }

  /** Gathers and transforms the resources of this kustomization and everything it names. */
  accumulateAll(): Accumulator {
    if ((this.kustomization.buildMetadata ?? []).length > 0) this.#origin = {};
    return this.#accumulate(new Accumulator());
  }

  /** Makes the schema of `openapi` the one that counts. The first kustomization that names one wins. */
  useSchema(replace: boolean): void {
    const { openapi } = this.kustomization;
    const path = openapi?.get('path');
    const content = path === undefined ? undefined : this.loader.load(path);
    const { schemas } = this.context;
    if (schemas.isSet && !replace) return;
    const version = openapi?.get('version') ?? '';
    if (content !== undefined) {
      if (openapi?.has('version') === true) {
        throw new KustomizeError('KustomizationInvalid', 'builtin version and custom schema provided, cannot use both');
      }
      const document = readYaml(fileText(content), { dialect: 'v2' });
      schemas.setCustom(mergeSchemaOf(isYamlObject(document) ? document : {}));
    } else if (version !== '') {
      if (version !== BUILTIN_VERSION) throw new KustomizeError('KustomizationInvalid', 'the specified OpenAPI version is not built in');
      schemas.isSet = true;
    }
  }

  #accumulate(into: Accumulator): Accumulator {
    const { kustomization, loader } = this;
    within('accumulating resources', () => this.#addResources(into, kustomization.resources ?? []), 'ResourceInvalid');
    into.addConfig(readConfigurations(loader, kustomization.configurations ?? []), 'merging config');
    const crds = kustomization.crds ?? [];
    const crdConfig = within(`loading CRDs [${crds.join(' ')}]`, () => readCrdConfig(loader, crds), 'KustomizationInvalid');
    into.addConfig(crdConfig, 'merging CRDs');
    this.#generate(into);
    const result = within('accumulating components', () => this.#addComponents(into, kustomization.components ?? []), 'ResourceInvalid');
    this.#transform(result);
    this.#validate(result);
    this.#addVars(result);
    return result;
  }

  #addVars(into: Accumulator): void {
    const fields = this.kustomization.vars ?? [];
    if (fields.length === 0) return;
    const vars = fields.map(toVar);
    within(
      `merging vars [${fields.map(formatVarFields).join(' ')}]`,
      () => {
        markVarSources(into.resources, vars, this.context.schemas);
        for (const each of vars) into.vars.add(each);
      },
      'VarFailed',
    );
  }

  #addResources(into: Accumulator, paths: readonly string[]): void {
    for (const path of paths) {
      try {
        this.#addFile(into, path);
      } catch (error) {
        if (!isTriedAsFolder(error)) throw error;
        this.#addFolder(into, path, error);
      }
    }
  }

  #addFile(into: Accumulator, path: string): void {
    const resources = within(
      `accumulating resources from '${path}'`,
      () => {
        const content = this.loader.load(path);
        try {
          return this.#readResources(fileText(content));
        } catch (error) {
          throw inFile(error, path);
        }
      },
      'ResourceInvalid',
    );
    const origin = this.#origin;
    if (origin !== undefined) for (const resource of resources) resource.state.origin = appendOrigin(origin, path);
    within(`merging resources from '${path}'`, () => into.append(resources), 'ResourceConflict');
  }

  #readResources(text: string): Resource[] {
    const objects = readObjects(text, this.context.limits);
    this.context.count('resources', objects.length);
    const resources = objects.map((object) => toResource(object, this.context.schemas));
    return unique(resources);
  }

  #addFolder(into: Accumulator, path: string, fileError: KustomizeError): void {
    const asFile = fileError.message;
    let loader: Loader;
    try {
      loader = this.loader.descend(path);
    } catch (error) {
      if (asFile.includes('MalformedYAMLError')) throw fileError;
      // A file that may not be read is no missing folder.
      const refused = fileError.code === 'PathDenied' ? fileError : error;
      throw restate(refused, () => `accumulation err='${asFile}': ${errorMessage(error)}`);
    }
    try {
      this.#from(path, () => this.#addKustomization(into, loader, false));
    } catch (error) {
      throw wrapError(error, `accumulation err='${asFile}'`);
    }
  }

  #addComponents(into: Accumulator, paths: readonly string[]): Accumulator {
    let result = into;
    for (const path of paths) {
      let loader: Loader;
      try {
        loader = this.loader.descend(path);
      } catch (error) {
        throw restate(error, (message) => `loader.New ${quote(message)}`);
      }
      try {
        result = this.#from(path, () => this.#addKustomization(result, loader, true));
      } catch (error) {
        throw restate(error, (message) => `accumulateDirectory: ${quote(message)}`);
      }
    }
    return result;
  }

  /** Runs `work` with the origin moved on to `path`. */
  #from<T>(path: string, work: () => T): T {
    const origin = this.#origin;
    if (origin !== undefined) this.#origin = appendOrigin(origin, path);
    const result = work();
    this.#origin = origin;
    return result;
  }

  #addKustomization(into: Accumulator, loader: Loader, isComponent: boolean): Accumulator {
    const root = absolute(loader.root);
    const target = within(`couldn't make target for path '${root}'`, () => Target.load(loader, this.context), 'KustomizationInvalid');
    const { buildMetadata } = this.kustomization;
    if (buildMetadata !== undefined) target.kustomization.buildMetadata = buildMetadata;
    else delete target.kustomization.buildMetadata;
    target.#origin = this.#origin;
    target.#helmNamespace = this.#namespaceForCharts();
    target.useSchema(false);
    const { kind = '' } = target.kustomization;
    if (isComponent && kind !== 'Component') {
      throw new KustomizeError('KustomizationInvalid', `expected kind 'Component' for path '${root}' but got '${kind}'`);
    }
    if (!isComponent && kind === 'Component') {
      throw new KustomizeError('KustomizationInvalid', `expected kind != 'Component' for path '${root}'`, {
        remedy: 'list it under components',
      });
    }
    // A component works on what is there already; a base is built on its own and then added.
    const built = within(`recursed accumulation of path '${root}'`, () => target.#accumulate(isComponent ? into : new Accumulator()));
    const result = isComponent ? new Accumulator() : into;
    within(`recursed merging from path '${root}'`, () => result.merge(built));
    return result;
  }

  #namespaceForCharts(): string {
    const { namespace = '' } = this.kustomization;
    return namespace === '' ? this.#helmNamespace : namespace;
  }

  #generate(into: Accumulator): void {
    const builtin = builtinGenerators(this.kustomization, this.loader, this.context, this.#namespaceForCharts());
    const external = within(
      'loading generator plugins',
      () => loadGeneratorPlugins(this.#readPlugins(this.kustomization.generators ?? []), this.loader, this.context),
      'GeneratorFailed',
    );
    const origin = this.#origin;
    for (const { kind, origin: ofPlugin, generate } of [...builtin, ...external]) {
      const resources = generate();
      const generatedBy = ofPlugin ?? (origin === undefined ? undefined : configuredBy(origin, this.#file, kind));
      for (const resource of resources) if (origin !== undefined) resource.state.origin ??= generatedBy;
      within(
        `merging from generator &{${kind}}`,
        () => resources.forEach((resource) => absorb(into.resources, resource)),
        'GeneratorFailed',
      );
    }
  }

  #transform(into: Accumulator): void {
    const origin = this.#origin;
    const builtin = builtinTransformers(this.kustomization, into.config, this.loader, this.context);
    const plugins = loadTransformerPlugins(this.#readPlugins(this.kustomization.transformers ?? []), this.loader, this.context);
    this.#run(into, builtin, (kind) => (origin === undefined ? undefined : configuredBy(origin, this.#file, kind)));
    this.#run(into, plugins, () => undefined);
  }

  #run(into: Accumulator, steps: readonly Step[], originOf: (kind: string) => Origin | undefined): void {
    for (const step of steps) {
      const { size } = into.resources;
      this.context.count('visits', size);
      this.context.spend(size * (step.weight ?? 0));
      step.transform(into.resources);
      const by = step.origin ?? originOf(step.kind);
      if (by !== undefined) for (const { state } of into.resources.items) noteTransformation(state, by);
      if (into.resources.items.some((resource) => resource.removed)) {
        into.resources.setItems(into.resources.items.filter((resource) => !resource.removed));
      }
    }
  }

  #validate(into: Accumulator): void {
    const plugins = this.#readPlugins(this.kustomization.validators ?? []);
    for (const step of loadTransformerPlugins(plugins, this.loader, this.context)) {
      const before = into.resources.items.map((resource) => JSON.stringify(resource.object));
      step.transform(into.resources);
      const after = into.resources.items.map((resource) => JSON.stringify(resource.object));
      if (before.join() !== after.join()) {
        throw new KustomizeError('TransformFailed', "validator shouldn't modify the resource map: nodes unequal");
      }
    }
  }

  /** The resources that configure plugins: inline, from files or from other kustomizations. */
  #readPlugins(entries: readonly string[]): Resource[] {
    const into = new Accumulator();
    const paths: string[] = [];
    for (const entry of entries) {
      const inline = tryRead(() => this.#readResources(entry));
      if (inline === undefined) {
        paths.push(entry);
        continue;
      }
      const origin = this.#origin;
      if (origin !== undefined) for (const resource of inline) resource.state.origin = appendOrigin(origin, this.#file);
      into.append(inline);
    }
    this.#addResources(into, paths);
    return [...into.resources.items];
  }
}

function noteTransformation(state: Resource['state'], by: Origin): void {
  if (state.origin === undefined) state.origin = by;
  else state.transformations.push(by);
}

function readFile(loader: Loader): { file: string; decoded: Kustomization } {
  const found = KUSTOMIZATION_FILES.flatMap((name) => {
    const content = loader.tryLoad(name);
    return content === undefined ? [] : [{ name, content }];
  });
  const [first] = found;
  const root = absolute(loader.root);
  if (first === undefined) {
    const names = KUSTOMIZATION_FILES.map((name) => `'${name}'`);
    const list = `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
    throw new KustomizeError('KustomizationMissing', `unable to find one of ${list} in directory '${root}'`, { subject: root });
  }
  if (found.length > 1) {
    throw new KustomizeError('KustomizationInvalid', `Found multiple kustomization files under: ${root}\n`, { subject: root });
  }
  return { file: first.name, decoded: parseKustomization(first.content) };
}

/** A path that is no file of resources may still be a folder. What the user may not do at all is not tried again. */
function isTriedAsFolder(error: unknown): error is KustomizeError {
  return error instanceof KustomizeError && error.code !== 'RemoteDenied' && error.code !== 'LimitExceeded';
}

/** Throws when a file holds two resources of one identity. */
function unique(resources: Resource[]): Resource[] {
  if (resources.length > 1) new Accumulator().append(resources);
  return resources;
}

function tryRead<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof KustomizeError && error.code !== 'LimitExceeded') return undefined;
    throw error;
  }
}
