import type { OCIRepository } from '../../api/index.ts';
import { annotationKeys, digested } from '../../oci/index.ts';
import { deepEqual } from '../../runtime/index.ts';
import type { Clock } from '../../std/index.ts';
import type { Verdict } from '../../verify/index.ts';
import { SourceFailure, step } from './failure.ts';
import { vouchedTime } from './judgement.ts';
import type { ReadPolicy } from './policies.ts';
import { wantedRef } from './revision.ts';
import { artifactTime, formatMark, judgeRollback, newestAnnotation, readMark, type Mark, type RollbackDecision } from './rollback.ts';
import type { VerifierTask } from './verifier.ts';

/** Writes annotations of an OCIRepository; the answer is in the view when it resolves. */
export type Annotate = (metadata: OCIRepository['metadata'], annotations: Readonly<Record<string, string>>) => Promise<void>;

/** What policies that deny rollbacks say: the mark to write, why the artifact is refused, what to warn of. */
export type RollbackFindings = { mark?: Mark; refusal?: string; warnings: readonly string[] };

/** Keeps the newest accepted artifact of each OCIRepository in an annotation, and compares with it. */
export class RollbackGuard {
  readonly #clock: Clock;
  readonly #annotate: Annotate | undefined;

  constructor(clock: Clock, annotate: Annotate | undefined) {
    this.#clock = clock;
    this.#annotate = annotate;
  }

  /**
   * Asks whether the target may follow what was accepted before.
   * @param verdicts the signatures that count
   * @throws SourceFailure when the time of the target cannot be asked for
   */
  async check(task: VerifierTask, policies: readonly ReadPolicy[], verdicts: readonly Verdict[]): Promise<RollbackFindings> {
    const denying = policies.filter(({ deniesRollback, fault }) => deniesRollback && fault === undefined);
    if (denying.length === 0) return { warnings: [] };
    const newest = readMark(task.object);
    const decision = newest === 'unreadable' ? UNREADABLE : judgeRollback(newest, await this.#candidate(task, newest, verdicts));
    if (decision.kind === 'accepted') return { warnings: [], ...(deepEqual(newest, decision.mark) ? {} : { mark: decision.mark }) };
    const { found, wanted } = decision;
    const remedy = `to go back on purpose remove the annotation ${newestAnnotation}`;
    const say = ({ name }: ReadPolicy): string => `policy ${name}: rollback: found ${found}, want ${wanted}; ${remedy}`;
    const refusing = denying.find(({ enforced }) => enforced);
    return refusing === undefined ? { warnings: denying.map(say) } : { warnings: [], refusal: say(refusing) };
  }

  /** Writes the mark: from now on nothing older is accepted. @throws SourceFailure `PatchOperationFailed` */
  async write(metadata: OCIRepository['metadata'], mark: Mark): Promise<void> {
    try {
      await this.#annotate?.(metadata, { [newestAnnotation]: formatMark(mark) });
    } catch (error) {
      throw new SourceFailure('PatchOperationFailed', `failed to write the annotation ${newestAnnotation}`, error);
    }
  }

  /** The target as it would be marked; its time is asked for only when it is another one than the newest. */
  async #candidate({ object, target, client, limit }: VerifierTask, newest: Mark | undefined, verdicts: readonly Verdict[]): Promise<Mark> {
    const { url, ref = {} } = object.spec;
    const { digest, repository, revision } = target;
    const tag = wantedRef(object.spec.ref).kind === 'semver' ? { version: revision.slice(0, revision.lastIndexOf('@')) } : {};
    const mark: Mark = { url, ref, digest, ...tag };
    if (newest?.digest === digest) return newest.time === undefined ? mark : { ...mark, time: newest.time };
    const fetched = await step(
      'OCIArtifactPullFailed',
      `failed to pull artifact from '${url}'`,
      () => client.fetchManifest(digested(repository, digest), limit.signal),
      limit,
    );
    const created = fetched.manifest.annotations[annotationKeys.created];
    const time = artifactTime(created, vouchedTime(verdicts), new Date(this.#clock.now()));
    return time === undefined ? mark : { ...mark, time };
  }
}

const UNREADABLE: RollbackDecision = {
  kind: 'refused',
  found: `an annotation ${newestAnnotation} that cannot be read`,
  wanted: 'it as it was',
};
