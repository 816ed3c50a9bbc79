import type { OCIRepository, OCIRepositoryStatus } from '../../api/index.ts';
import { parseMirror, parsePlatform, type ImageChoice, type Mirror } from '../../oci/index.ts';
import { CodedError } from '../../std/index.ts';
import { SourceFailure } from './failure.ts';

const PREFIX = 'source.sluice.dev/';

/** What a person can ask of an OCIRepository beyond Flux's spec. */
export const sourceAnnotations = {
  /** `merge`: all layers on top of each other instead of one of them; files of oras under their names. */
  layers: 'source.sluice.dev/layers',
  /** Which image of an index: `os/architecture[/variant]`. */
  platform: 'source.sluice.dev/platform',
  /** Which image of an index: its artifact type. */
  artifactType: 'source.sluice.dev/artifact-type',
  /** Hosts, with an optional path prefix, that have the content too, in order; separated by commas. */
  mirrors: 'source.sluice.dev/mirrors',
} as const;

/** Annotations that decide what is in the artifact. */
const CONTENT = [sourceAnnotations.layers, sourceAnnotations.platform, sourceAnnotations.artifactType];
const MAX_MIRRORS = 10;
const ARTIFACT_TYPE = /^[a-zA-Z0-9][\w!#$&^.+-]{0,126}\/[a-zA-Z0-9][\w!#$&^.+-]{0,126}$/;

/** What the annotations of an object ask for. */
export type ContentChoice = { merge: boolean; image: ImageChoice };

/** Reads the annotations that decide what is taken from an artifact. @throws SourceFailure that stalls: only a person can put it right */
export function contentChoice({ metadata }: OCIRepository): ContentChoice {
  const { annotations = {} } = metadata;
  const layers = annotations[sourceAnnotations.layers];
  const platform = annotations[sourceAnnotations.platform];
  const artifactType = annotations[sourceAnnotations.artifactType];
  return read('OCIArtifactLayerOperationFailed', () => {
    if (layers !== undefined && layers !== 'merge') throw invalid(sourceAnnotations.layers, layers, 'merge');
    if (artifactType !== undefined && !ARTIFACT_TYPE.test(artifactType))
      throw invalid(sourceAnnotations.artifactType, artifactType, 'a media type');
    return {
      merge: layers === 'merge',
      image: {
        ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
        ...(artifactType === undefined ? {} : { artifactType }),
      },
    };
  });
}

/** The mirrors of an object, in order. @throws SourceFailure that stalls */
export function mirrorsOf({ metadata }: OCIRepository): readonly Mirror[] {
  const text = metadata.annotations?.[sourceAnnotations.mirrors];
  if (text === undefined) return [];
  return read('URLInvalid', () => {
    const mirrors = text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    if (mirrors.length > MAX_MIRRORS) throw invalid(sourceAnnotations.mirrors, text, `at most ${MAX_MIRRORS} mirrors`);
    return mirrors.map(parseMirror);
  });
}

/** The annotations that decided the content, as kept in the metadata of the artifact. */
export function contentAnnotations(annotations: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(CONTENT.flatMap((key) => (annotations?.[key] === undefined ? [] : [[key, annotations[key]]])));
}

/** True when the stored artifact was made as other annotations asked. */
export function contentAnnotationsChanged({ metadata }: OCIRepository, status: OCIRepositoryStatus): boolean {
  const [want, have] = [contentAnnotations(metadata.annotations), contentAnnotations(status.artifact?.metadata)];
  return CONTENT.some((key) => want[key] !== have[key]);
}

/** True when annotations changed that ask for another look. */
export function sourceAnnotationsChanged(
  annotations: Readonly<Record<string, string>> | undefined,
  before: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.values(sourceAnnotations).some((key) => annotations?.[key] !== before?.[key]);
}

/** The annotations of a manifest, without those that would speak for the object. */
export function manifestMetadata(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith(PREFIX)));
}

function read<T>(reason: 'OCIArtifactLayerOperationFailed' | 'URLInvalid', run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new SourceFailure(reason, 'failed to read annotations', error, true);
  }
}

function invalid(key: string, value: string, want: string): CodedError {
  return new CodedError({
    code: 'AnnotationInvalid',
    message: `annotation ${key}: ${JSON.stringify(value.slice(0, 200))}: want ${want}`,
    subject: key,
  });
}
