import type { YamlObject } from '../../golang/index.ts';
import { CodedError, errorMessage, isCodedError } from '../../std/index.ts';
import type { Capabilities } from '../capabilities.ts';
import type { ReleaseOptions } from '../engine/objects.ts';
import type { Hook } from '../manifest/hook.ts';
import type { Manifest } from '../manifest/sort.ts';
import type { ManifestMetadata } from '../manifest-metadata.ts';
import type { PostRenderStrategy } from '../post-render.ts';
import type { Profile } from '../profile.ts';
import type { RecordedChart } from '../release/release.ts';
import type { Crd } from '../render.ts';

/** A chart on its way to a worker: a package, or files by path. */
export type ChartSource = Uint8Array | ReadonlyMap<string, Uint8Array>;

/** The options of a render that can cross threads. */
export type WorkerOptions = {
  release: ReleaseOptions;
  values?: YamlObject;
  chartValues?: YamlObject;
  capabilities?: Capabilities;
  enableDns?: boolean;
  profile?: Profile;
  subchartNotes?: boolean;
  skipSchemaValidation?: boolean;
  allowMissingDependencies?: boolean;
  /** Ask for the chart as a release records it. Default false. */
  record?: boolean;
};

/** What a worker gives back. */
export type WorkerRendered = {
  readonly manifests: Manifest[];
  readonly hooks: Hook[];
  readonly crds: Crd[];
  readonly notes: string;
  readonly warnings: string[];
  readonly recordedChart: RecordedChart | undefined;
};

/** In place of what the thread was sent with the request before: releases of one chart share it, and it is the bulk of a request. */
export const SAME = 'same';

export type RenderRequest = {
  readonly source: ChartSource | typeof SAME;
  readonly options: Omit<WorkerOptions, 'capabilities'>;
  readonly capabilities: Capabilities | typeof SAME | undefined;
  /** What the worker may ask its parent while it renders. */
  readonly hasLookup: boolean;
  readonly postRender: PostRenderRequest | undefined;
};

/** How manifests are changed: by the parent, when `asks`, then here. */
export type PostRenderRequest = {
  readonly strategy: PostRenderStrategy;
  readonly asks: boolean;
  readonly metadata: readonly ManifestMetadata[];
};

/** From worker to parent: a question in the middle of a render, or its end. */
export type WorkerMessage =
  | { readonly kind: 'lookup'; readonly args: readonly [string, string, string, string] }
  | { readonly kind: 'post-render'; readonly manifests: string }
  | { readonly kind: 'resolve'; readonly host: string }
  | { readonly kind: 'done'; readonly rendered: WorkerRendered }
  | { readonly kind: 'failed'; readonly error: PlainError };

/** The answer to a question. */
export type Answer = { readonly value: unknown } | { readonly error: PlainError };

/** A CodedError as data. */
export type PlainError = {
  readonly code: string;
  readonly message: string;
  readonly subject?: string;
  readonly remedy?: string;
  readonly retryable: boolean;
};

export function plainError(error: unknown): PlainError {
  if (!isCodedError(error)) return { code: 'WorkerFailed', message: errorMessage(error), retryable: false };
  const { code, message, subject, remedy, retryable } = error;
  return { code, message, retryable, ...(subject === undefined ? {} : { subject }), ...(remedy === undefined ? {} : { remedy }) };
}

export function codedError(error: PlainError): CodedError {
  return new CodedError(error);
}
