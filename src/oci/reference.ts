import type { Digest } from '../std/index.ts';

/** Where manifests and blobs live: `registry` is host[:port] (docker.io is `index.docker.io`), `path` the repository's name. */
export type Repository = { registry: string; path: string };

/** A repository with a tag, a digest or both; with neither it means the tag `latest`. When both are present the digest decides. */
export type Reference = Repository & { tag?: string; digest?: Digest };
