import { conditionTypes, reasons, type OCIRepository, type OCIRepositoryStatus } from '../../api/index.ts';
import type { ArtifactStore } from '../../artifact/index.ts';
import type { RegistryClient } from '../../oci/index.ts';
import { formatKey, type ConfigReader, type EventNotice, type Logger, type StatusSession } from '../../runtime/index.ts';
import { digestOf, errorMessage, type Clock, type Digest } from '../../std/index.ts';
import type { NotationSkip, Verdict } from '../../verify/index.ts';
import { Refusal, SourceFailure, step, type TimeLimit } from './failure.ts';
import { judgePolicies, MAX_POLICIES, unjudged, type Judgement, type OwnSigners } from './judgement.ts';
import { Materials } from './materials.ts';
import { ownTrust, type Policies, type ReadPolicy } from './policies.ts';
import type { Target } from './resolve.ts';
import { revisionDigest } from './revision.ts';
import { RollbackGuard, type Annotate } from './rollback-guard.ts';
import { describeVerdict, readRequirement, shorten, verifyTarget, type Requirement, type Trust } from './verification.ts';

type Session = Pick<StatusSession<OCIRepositoryStatus>, 'draft' | 'conditions'>;

/** What a {@link Verifier} works with. */
export type VerifierOptions = {
  configs: ConfigReader;
  clock: Clock;
  trust: Trust;
  store: Pick<ArtifactStore, 'remove'>;
  /** The verification policies of the cluster. Without them there are none. */
  policies?: Policies;
  /** For policies that deny rollbacks. */
  annotate?: Annotate;
};

/** One artifact that is to be verified. */
export type VerifierTask = {
  object: OCIRepository;
  session: Session;
  target: Target;
  client: RegistryClient;
  limit: TimeLimit;
  log: Logger;
};

/** What came of a verification that refused nothing. */
export type Verified = {
  /** What there is to tell. */
  notices: EventNotice[];
  /** To be called when the artifact is at hand, before it is published: afterwards nothing older will be. */
  accept: () => Promise<void>;
};

/** What is asked of an artifact: `spec.verify` and policies, read now. The same `id` asks for the same. */
type Demands = { requirement: Requirement | undefined; policies: readonly ReadPolicy[]; own: OwnSigners; id: Digest };

const NOTHING: Verified = { notices: [], accept: async () => {} };

/**
 * Verifies artifacts before they are fetched (OB13): by `spec.verify`, and by every policy that concerns the object. It is due when the
 * revision, the spec, a policy or a Secret changed, after a failure, and once after a restart.
 */
export class Verifier {
  readonly #options: VerifierOptions;
  /** What was verified last, by object: forgotten by a restart, which then verifies once more. */
  readonly #verified = new Map<string, string>();
  /** The digest that policies accepted last, with what they asked for, by object. */
  readonly #accepted = new Map<string, string>();

  readonly #guard: RollbackGuard;

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#guard = new RollbackGuard(options.clock, options.annotate);
  }

  /** Forgets an object that is gone. */
  forget(key: string): void {
    this.#verified.delete(key);
    this.#accepted.delete(key);
  }

  /** True when nothing is asked of the artifacts of an object. */
  isIdle(object: OCIRepository): boolean {
    return object.spec.verify === undefined && (this.#options.policies?.concerning(object) ?? []).length === 0;
  }

  /** Verifies what the target names; a condition says who signed. @throws SourceFailure */
  async verify(task: VerifierTask): Promise<Verified> {
    const { object, session, target } = task;
    const { conditions } = session;
    const { metadata } = object;
    const key = formatKey(metadata);
    const demands = await this.#demands(object);
    if (demands === undefined) {
      this.forget(key);
      return NOTHING;
    }
    const due = JSON.stringify([metadata.uid, metadata.generation, target.repository, target.revision, demands.id]);
    const status = conditions.find(conditionTypes.sourceVerified)?.status;
    if (this.#verified.get(key) === due && (status === 'True' || status === 'Unknown')) return NOTHING;
    this.#verified.delete(key);
    const done = (): void => {
      this.#verified.set(key, due);
      this.#accepted.set(key, acceptance(target.digest, demands));
    };
    const { own, judgements } = await this.#check(task, demands);
    const satisfied = judgements.filter(({ outcome }) => outcome === 'satisfied');
    const counted = [...satisfied.flatMap(({ verdicts }) => verdicts), ...verdictOf(own)];
    const { mark, refusal, warnings: rollbacks } = await this.#guard.check(task, demands.policies, counted);
    if (refusal !== undefined) throw new Refusal(shorten(refusal), await this.#withdraw(task, demands, false));
    const warnings = [...judgements.filter(isWarning).map(({ message }) => message), ...rollbacks];
    if (own !== undefined && 'kind' in own)
      task.log.info('verification skipped by the trust policy', { statement: own.statement, reason: own.reason });
    this.#tell(session, target, own, judgements, warnings);
    if (mark === undefined && (own === undefined || !('kind' in own) || judgements.length > 0)) done();
    return {
      notices: warnings.map((message) => ({ type: 'Warning', reason: reasons.VerificationError, message: shorten(message) })),
      accept: async () => {
        if (mark === undefined) return;
        await this.#guard.write(metadata, mark);
        done();
      },
    };
  }

  /** What is asked of the artifacts of an object; undefined for nothing. */
  async #demands(object: OCIRepository): Promise<Demands | undefined> {
    const { configs, policies } = this.#options;
    const { verify } = object.spec;
    const concerned = policies?.concerning(object) ?? [];
    if (verify === undefined && concerned.length === 0) return undefined;
    if (concerned.length > MAX_POLICIES) {
      const message = `${concerned.length} verification policies concern this OCIRepository, want at most ${MAX_POLICIES}`;
      throw new SourceFailure('VerificationError', message);
    }
    const requirement = verify === undefined ? undefined : await readRequirement(object, verify, configs);
    const read: ReadPolicy[] = [];
    for (const policy of concerned) if (policies !== undefined) read.push(await policies.read(policy));
    const id = digestOf(JSON.stringify([requirement?.id, ...read.map((policy) => policy.id)]));
    return { requirement, policies: read, own: ownSigners(requirement, read), id };
  }

  /** Judges the signatures. @throws SourceFailure when they do not suffice; what is served is withdrawn when it does no better */
  async #check(task: VerifierTask, demands: Demands): Promise<{ own: Verdict | NotationSkip | undefined; judgements: Judgement[] }> {
    const { target, client, limit } = task;
    const { clock, trust } = this.#options;
    const { requirement, policies } = demands;
    const enforced = policies.filter((policy) => policy.enforced);
    const materials = new Materials(client, target.repository, target.digest, limit.signal);
    let own: Verdict | NotationSkip | undefined;
    let failure: SourceFailure | undefined;
    try {
      if (requirement !== undefined) own = await verifyTarget(requirement, target, materials, { clock, trust, limit });
    } catch (error) {
      if (!(error instanceof SourceFailure) || error.code !== 'VerificationError' || enforced.length === 0) throw error;
      failure = error;
    }
    const judgements = await this.#judge(enforced, materials, demands, task);
    const refusals = judgements.filter(({ outcome }) => outcome !== 'satisfied').map(({ message }) => message);
    if (failure === undefined && refusals.length === 0)
      return { own, judgements: [...judgements, ...(await this.#look(materials, demands, task))] };
    const withdrawn = await this.#withdraw(task, demands, judgements.some(isNegative));
    const reasonsOf = [...(failure === undefined ? [] : [failure.message]), ...refusals];
    throw new Refusal(shorten(reasonsOf.join('; ')), withdrawn);
  }

  /** Policies that only warn: whatever happens, it lets pass. */
  async #look(materials: Materials, demands: Demands, task: VerifierTask): Promise<Judgement[]> {
    const warning = demands.policies.filter((policy) => !policy.enforced);
    try {
      return await this.#judge(warning, materials, demands, task);
    } catch (error) {
      if (task.limit.signal.aborted) throw error;
      return warning.map((policy) => unjudged(policy, error));
    }
  }

  #judge(policies: readonly ReadPolicy[], materials: Materials, { own }: Demands, { target, limit }: VerifierTask): Promise<Judgement[]> {
    if (policies.length === 0) return Promise.resolve([]);
    const { clock, trust } = this.#options;
    return step(
      'ReadOperationFailed',
      `failed to read the signatures of '${target.subject}'`,
      () => judgePolicies(policies, materials, own, { clock, trust, signal: limit.signal }),
      limit,
    );
  }

  /**
   * Takes back what is served when policies refuse it: nothing unverified is kept. That trust cannot be used, or the registry not be asked,
   * proves nothing against it. Gives what was done, if anything.
   * @param negative whether the target was refused for what is, or is not, signed
   */
  async #withdraw(task: VerifierTask, demands: Demands, negative: boolean): Promise<string | undefined> {
    const { object, session, target, log } = task;
    const { draft, conditions } = session;
    const served = draft.artifact === undefined ? undefined : revisionDigest(draft.artifact.revision);
    if (draft.artifact === undefined || served === undefined) return undefined;
    const { revision } = draft.artifact;
    if (served === target.digest ? !negative : !(await this.#isRefused(task, demands, served))) return undefined;
    delete draft.artifact;
    delete draft.url;
    conditions.remove(conditionTypes.artifactInStorage, conditionTypes.artifactOutdated);
    const { namespace, name } = object.metadata;
    try {
      await this.#options.store.remove({ kind: 'ocirepository', namespace, name });
    } catch (error) {
      // Nobody is led there any more; what is left on disk goes with the next artifact.
      log.error('could not remove a withdrawn artifact', error);
    }
    return `withdrew revision '${revision}', which was served: verification policies refuse it`;
  }

  /** Whether policies refuse a digest that is served while another one was refused. */
  async #isRefused(task: VerifierTask, demands: Demands, digest: Digest): Promise<boolean> {
    const key = formatKey(task.object.metadata);
    const enforced = demands.policies.filter((policy) => policy.enforced);
    if (enforced.length === 0 || this.#accepted.get(key) === acceptance(digest, demands)) return false;
    try {
      const materials = new Materials(task.client, task.target.repository, digest, task.limit.signal);
      const judgements = await this.#judge(enforced, materials, demands, task);
      if (judgements.every(({ outcome }) => outcome === 'satisfied')) this.#accepted.set(key, acceptance(digest, demands));
      return judgements.some(isNegative);
    } catch (error) {
      if (!(error instanceof SourceFailure)) throw error;
      task.log.info('could not verify the artifact that is served', { digest, cause: errorMessage(error) });
      return false;
    }
  }

  /** Says in the condition who signed and which policies are satisfied. */
  #tell(
    { conditions }: Session,
    { revision }: Target,
    own: Verdict | NotationSkip | undefined,
    judgements: readonly Judgement[],
    warnings: readonly string[],
  ): void {
    const satisfied = judgements.filter(({ outcome }) => outcome === 'satisfied').map(({ message }) => message);
    const [verdict] = verdictOf(own);
    if (verdict === undefined && judgements.length === 0) return conditions.remove(conditionTypes.sourceVerified);
    const proven = verdict !== undefined || satisfied.length > 0;
    const first =
      verdict === undefined ? `${proven ? 'verified' : 'nothing is proven of'} revision ${revision}` : describeVerdict(revision, verdict);
    const message = shorten([first, ...satisfied, ...warnings.map((warning) => `warning: ${warning}`)].join('; '));
    if (proven) conditions.mark(conditionTypes.sourceVerified, 'True', reasons.Succeeded, message);
    else conditions.mark(conditionTypes.sourceVerified, 'Unknown', reasons.VerificationError, message);
  }
}

function verdictOf(own: Verdict | NotationSkip | undefined): Verdict[] {
  return own === undefined || 'kind' in own ? [] : [own];
}

function acceptance(digest: Digest, { id }: Demands): string {
  return `${digest} ${id}`;
}

function isNegative({ policy, outcome }: Judgement): boolean {
  return policy.enforced && outcome === 'refused';
}

function isWarning({ policy, outcome }: Judgement): boolean {
  return !policy.enforced && outcome !== 'satisfied';
}

/** Whose signatures count for policies that name nobody. */
function ownSigners(requirement: Requirement | undefined, policies: readonly ReadPolicy[]): OwnSigners {
  if (requirement === undefined) return { kind: 'missing', why: 'no spec.verify' };
  if (!policies.some((policy) => policy.fault === undefined && policy.parties === undefined)) return { kind: 'missing', why: 'no need' };
  try {
    const trust = ownTrust(requirement.wanted);
    return trust === undefined ? { kind: 'missing', why: 'a spec.verify that accepts everybody' } : { kind: 'trusted', trust };
  } catch (error) {
    return { kind: 'unusable', why: `a spec.verify that cannot be used (${errorMessage(error)})` };
  }
}
