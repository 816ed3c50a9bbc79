import { errorMessage, type Clock } from '../../std/index.ts';
import { describeIdentity, satisfies, VerificationError, type Party, type Satisfaction, type Verdict } from '../../verify/index.ts';
import { MAX_EXPRESSION_TIME, refuseAttestation, type ExpressionBudget, type WantedAttestation } from './attestations.ts';
import { Evidence } from './evidence.ts';
import type { Materials } from './materials.ts';
import type { ReadPolicy } from './policies.ts';
import type { SignerTrust } from './signer-trust.ts';
import type { Trust } from './verification.ts';

/** What a policy says of a digest. */
export type Judgement = {
  policy: ReadPolicy;
  /** `refused`: what is signed does not suffice. `unusable`: the policy could not be applied, which says nothing about the artifact. */
  outcome: 'satisfied' | 'refused' | 'unusable';
  /** Who counts; when refused, as far as they do. */
  verdicts: readonly Verdict[];
  /** One line: who signed, or what was found and what was wanted. */
  message: string;
  found?: string;
  wanted?: string;
};

/** Whom `spec.verify` trusts: policies without signers count those. */
export type OwnSigners =
  | { kind: 'trusted'; trust: SignerTrust }
  /** `unusable` when that says nothing about the artifact. */
  | { kind: 'missing' | 'unusable'; why: string };

/** How policies are judged. */
export type JudgementContext = { clock: Clock; trust: Trust; signal: AbortSignal };

/** Policies that may concern one object. */
export const MAX_POLICIES = 32;
/** Rejected signatures, and reasons against an attestation, that a message tells. */
const MAX_TOLD = 3;

/**
 * Judges whether a digest proves what policies want. Signatures are asked for one by one, until every policy is satisfied or there are no
 * more; each is looked at once for all policies.
 * @throws RegistryError when the registry cannot be asked
 */
export async function judgePolicies(
  policies: readonly ReadPolicy[],
  materials: Materials,
  own: OwnSigners,
  context: JudgementContext,
): Promise<Judgement[]> {
  const open = policies.map((policy) => decided(policy, own) ?? policy);
  // What is refused whatever else is signed needs no request.
  const hopeless = open.filter((one): one is Judgement => 'outcome' in one);
  if (hopeless.some(({ policy }) => policy.enforced)) return hopeless;
  const subject = await materials.subject();
  const trusts = policies.flatMap((policy) => trustsOf(policy, own));
  let evidence: Evidence;
  try {
    evidence = new Evidence(subject, materials, trusts, context);
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return policies.map((policy) => ({ policy, outcome: 'unusable', verdicts: [], message: `policy ${policy.name}: ${error.message}` }));
  }
  const judge = new Judge(evidence, own, context.clock);
  const all = (): Judgement[] => open.map((one) => ('outcome' in one ? one : judge.judge(one)));
  const pending = (judgements: readonly Judgement[]): boolean =>
    judgements.some((one, index) => one.outcome !== 'satisfied' && open[index] !== one);
  let judgements = all();
  while (pending(judgements) && ((await evidence.more()) || (await evidence.renew()))) judgements = all();
  // What was not accepted since the last verdict is told too.
  return pending(judgements) ? all() : judgements;
}

/** What is to be said without looking at any signature. */
function decided(policy: ReadPolicy, own: OwnSigners): Judgement | undefined {
  if (policy.fault !== undefined)
    return { policy, outcome: 'unusable', verdicts: [], message: `policy ${policy.name} cannot be used: ${policy.fault}` };
  if (policy.parties !== undefined || own.kind === 'trusted') return undefined;
  const [found, wanted] = [own.why, 'one that says who signs'];
  return {
    policy,
    outcome: own.kind === 'missing' ? 'refused' : 'unusable',
    verdicts: [],
    message: `policy ${policy.name}: found ${found}, want ${wanted}`,
    found,
    wanted,
  };
}

function trustsOf(policy: ReadPolicy, own: OwnSigners): SignerTrust[] {
  if (policy.fault !== undefined) return [];
  if (policy.parties !== undefined) return policy.parties.map(({ trust }) => trust);
  return own.kind === 'trusted' ? [own.trust] : [];
}

type UsablePolicy = Extract<ReadPolicy, { fault?: undefined }>;

/** Judges policies on the evidence there is so far. */
class Judge {
  readonly #evidence: Evidence;
  readonly #own: OwnSigners;
  readonly #budget: ExpressionBudget;
  /** What expressions said of a verdict: they are asked once, however often the policy is judged. */
  readonly #asked = new Map<WantedAttestation, Map<Verdict, string | undefined>>();

  constructor(evidence: Evidence, own: OwnSigners, clock: Clock) {
    this.#evidence = evidence;
    this.#own = own;
    this.#budget = { left: MAX_EXPRESSION_TIME, now: () => clock.now() };
  }

  judge(policy: ReadPolicy): Judgement {
    if (policy.fault !== undefined) return { policy, outcome: 'unusable', verdicts: [], message: policy.fault };
    const digest = this.#evidence.subject.digest;
    const parties = policy.parties?.map(({ name, trust }): Party => ({ name, signs: (verdict) => this.#evidence.isBy(trust, verdict) }));
    const verdicts = parties === undefined ? this.#byOwn() : this.#evidence.verdicts;
    const among = parties === undefined ? {} : { parties };
    const signed = satisfies(digest, verdicts, { ...among, threshold: policy.threshold });
    if (!signed.satisfied) return this.#refused(policy, signed, this.#notCounted(signed.verdicts));
    for (const attestation of policy.attestations) {
      const { predicateType, threshold } = attestation;
      const accepts = (_predicate: unknown, verdict: Verdict): boolean => this.#refusal(attestation, verdict) === undefined;
      const attested = satisfies(digest, verdicts, { ...among, threshold, attestation: { predicateType, accepts } });
      if (!attested.satisfied) return this.#refused(policy, attested, this.#notAccepted(attestation, verdicts));
    }
    const signers = signed.verdicts.map(({ signer }) => describeIdentity(signer)).join(', ');
    return { policy, outcome: 'satisfied', verdicts: signed.verdicts, message: `policy ${policy.name}: signed by ${signers}` };
  }

  #byOwn(): Verdict[] {
    const own = this.#own;
    return own.kind === 'trusted' ? this.#evidence.verdicts.filter((verdict) => this.#evidence.isBy(own.trust, verdict)) : [];
  }

  #refused(
    policy: UsablePolicy,
    { verdicts, ...missing }: Extract<Satisfaction, { satisfied: false }>,
    notes: readonly string[],
  ): Judgement {
    const { found, wanted } = missing;
    const faults = trustsOf(policy, this.#own).flatMap(({ group }) => this.#evidence.faults.get(group) ?? []);
    const { cut } = this.#evidence;
    const told = [...faults, ...(cut === undefined ? [] : [`there are ${cut}, which are not looked at`]), ...notes]
      .slice(0, MAX_TOLD)
      .map((note) => `; ${note}`);
    const message = `policy ${policy.name}: found ${found}, want ${wanted}${told.join('')}`;
    // A trust policy without a word about the repository, or more than is looked at: that proves nothing against the artifact.
    return { policy, outcome: faults.length > 0 || cut !== undefined ? 'unusable' : 'refused', verdicts, message, found, wanted };
  }

  /** Who else signed, and why what nobody signed was not accepted. */
  #notCounted(counted: readonly Verdict[]): string[] {
    const counts = new Set(counted.map(({ signer }) => describeIdentity(signer)));
    const others = new Set(this.#evidence.verdicts.map(({ signer }) => describeIdentity(signer)).filter((signer) => !counts.has(signer)));
    const rejected = this.#evidence.rejections.map(({ signature, found }) => `${signature}, ${found}`);
    return [...others, ...rejected].map((what) => `not counted: ${what}`);
  }

  #notAccepted(attestation: WantedAttestation, verdicts: readonly Verdict[]): string[] {
    const told = verdicts.flatMap((verdict) => {
      const { signer, attestation: made } = verdict;
      if (made?.predicateType !== attestation.predicateType) return [];
      const refusal = this.#refusal(attestation, verdict);
      return refusal === undefined ? [] : [`not accepted: the one of ${describeIdentity(signer)}, ${refusal}`];
    });
    return [...new Set(told)];
  }

  #refusal(attestation: WantedAttestation, verdict: Verdict): string | undefined {
    let asked = this.#asked.get(attestation);
    if (asked === undefined) this.#asked.set(attestation, (asked = new Map()));
    if (asked.has(verdict)) return asked.get(verdict);
    const refusal = refuseAttestation(attestation, verdict, this.#evidence.subject, this.#budget);
    asked.set(verdict, refusal);
    return refusal;
  }
}

/** The earliest time that is vouched for by signatures that count. */
export function vouchedTime(verdicts: readonly Verdict[]): Date | undefined {
  return verdicts.flatMap(({ timestamp }) => timestamp ?? []).toSorted((a, b) => a.getTime() - b.getTime())[0];
}

/** A policy that could not be judged because of an error. */
export function unjudged(policy: ReadPolicy, error: unknown): Judgement {
  return { policy, outcome: 'unusable', verdicts: [], message: `policy ${policy.name} cannot be judged: ${errorMessage(error)}` };
}
