import { KustomizeError } from '../errors.ts';
import { fieldSpecs, type FieldSpec } from '../field-spec.ts';
import { quote } from '../go-text.ts';
import type { ImageFields } from '../kustomization.ts';
import { wrongKind } from '../plain.ts';
import { compile, type TextMatcher } from '../regular-expression.ts';
import type { ResourceList } from '../resource-list.ts';
import {
  assignScalar,
  field,
  isMapping,
  isMissing,
  isScalar,
  textOf,
  withText,
  type Mapping,
  type Sequence,
  type Value,
} from '../value.ts';

/** A field that holds an image. */
type Slot = { readonly holder: Mapping | Sequence; readonly key: string | number };

/** Which images are changed: those of lists named containers or initContainers, those the specs name, or first the ones, then the others. */
export type ImagePlaces = 'listed' | 'specified' | 'all';

/**
 * Changes names, tags and digests of images: in the containers and initContainers of every object, wherever they are, and in the fields
 * the specs name. A field that is both is changed twice, as in kustomize. All entries are applied in one walk over each object: an entry
 * changes texts only, never what is found.
 */
export function setImages(
  list: ResourceList,
  images: readonly ImageFields[],
  specs: readonly FieldSpec[],
  places: ImagePlaces = 'all',
): void {
  if (images.length === 0) return;
  const changes = images.map((image) => new ImageChange(image));
  const ready = fieldSpecs(specs);
  for (const { object, id } of list.items) {
    if (id.kind === 'CustomResourceDefinition') continue;
    const listed: Slot[] = [];
    const specified: Slot[] = [];
    if (places !== 'specified') findListed(object, listed);
    if (places !== 'listed') ready.visit(object, id, undefined, (_value, holder, key) => specified.push({ holder, key }));
    for (const change of changes) {
      for (const slot of listed) change.apply(slot);
      for (const slot of specified) change.apply(slot);
    }
  }
}

/** Finds the images of all lists named containers or initContainers. */
function findListed(value: Value, slots: Slot[]): void {
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') findListed(item, slots);
    return;
  }
  if (!isMapping(value)) return;
  for (const key in value) {
    const item = value[key];
    if (typeof item !== 'object' || item === null) continue;
    findListed(item, slots);
    if ((key === 'containers' || key === 'initContainers') && Array.isArray(item)) addContainers(item, slots);
  }
}

function addContainers(list: Sequence, slots: Slot[]): void {
  for (const container of list) {
    if (isMissing(container)) continue;
    if (!isMapping(container)) throw wrongKind('MappingNode', container);
    if (field(container, 'image') !== undefined) slots.push({ holder: container, key: 'image' });
  }
}

const TAG = '(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$';
/** Names that mean the same in both dialects of regular expressions and cannot be slow. */
const SIMPLE_NAME = /^[-A-Za-z0-9_/:.]*$/;

class ImageChange {
  readonly #image: ImageFields;
  readonly #matches: TextMatcher;

  constructor(image: ImageFields) {
    this.#image = image;
    this.#matches = imageMatcher(image.name ?? '');
  }

  apply({ holder, key }: Slot): void {
    const value = Array.isArray(holder) ? holder[Number(key)] : field(holder, String(key));
    if (isMissing(value)) return;
    if (!isScalar(value)) throw wrongKind('ScalarNode', value);
    const text = textOf(value);
    if (this.#matches(text)) assignScalar(holder, key, withText(value, this.#changed(text)));
  }

  #changed(text: string): string {
    const { newName = '', newTag = '', digest: newDigest = '', tagSuffix = '' } = this.#image;
    let { name, tag, digest } = splitImage(text);
    if (newName !== '') name = newName;
    if (newTag !== '' || newDigest !== '') {
      tag = newTag;
      digest = newDigest;
    } else if (tagSuffix !== '') {
      tag += tagSuffix;
      digest = '';
    }
    return `${name}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`;
  }
}

/** The name of an entry is a regular expression, followed by any tag and digest. */
function imageMatcher(name: string): TextMatcher {
  if (SIMPLE_NAME.test(name)) {
    const pattern = new RegExp(`^${name}${TAG}`);
    return (text) => pattern.test(text);
  }
  try {
    return compile(`^${name}${TAG}`);
  } catch (error) {
    throw new KustomizeError('TransformFailed', `read the name of image ${quote(name)}: it is no regular expression`, {
      subject: name,
      remedy: 'escape the special characters in the name',
      cause: error,
    });
  }
}

/** Name, tag and digest of an image; the host's port is no tag. */
export function splitImage(image: string): { name: string; tag: string; digest: string } {
  const slash = Math.max(image.indexOf('/'), 0);
  const at = image.indexOf('@', slash);
  const colon = image.indexOf(':', slash);
  if (at < 0 && colon < 0) return { name: image, tag: '', digest: '' };
  if (at >= 0 && (colon < 0 || at < colon)) return { name: image.slice(0, at), tag: '', digest: image.slice(at + 1) };
  if (at < 0) return { name: image.slice(0, colon), tag: image.slice(colon + 1), digest: '' };
  return { name: image.slice(0, colon), tag: image.slice(colon + 1, at), digest: image.slice(at + 1) };
}
