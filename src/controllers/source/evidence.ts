import type { Clock } from '../../std/index.ts';
import {
  MAX_MATERIAL_BYTES,
  MAX_MATERIALS,
  MAX_SIGNATURES,
  publicGoodRoot,
  VerificationError,
  verifyAllCosign,
  verifyAllNotation,
  type CosignMaterial,
  type CosignPolicy,
  type NotationMaterial,
  type PublicKey,
  type Rejection,
  type Subject,
  type TrustedRoot,
  type Verdict,
} from '../../verify/index.ts';
import type { Materials } from './materials.ts';
import { isSigner, type SignerTrust } from './signer-trust.ts';
import type { Trust } from './verification.ts';

/** How evidence is looked at. */
export type EvidenceContext = { clock: Clock; trust: Trust; signal: AbortSignal };

/** Groups of trust (roots of Sigstore, trust policies of notation) that all policies of one object may name together. */
export const MAX_GROUPS = 16;
/** Public keys and identities of one group. */
export const MAX_TRUSTED = 256;
/** Rejections that are kept to be told. */
const MAX_REJECTIONS = 16;

type Piece = { provider: 'cosign'; material: CosignMaterial } | { provider: 'notation'; material: NotationMaterial };
type Group = { trusts: SignerTrust[]; found: Set<Verdict> };

/**
 * What the signatures of a digest prove, found out piece by piece: whoever is satisfied asks for no more. Each piece is looked at once for
 * all signers that are known by the same kind of trust.
 */
export class Evidence {
  readonly subject: Subject;
  readonly verdicts: Verdict[] = [];
  /** Why pieces that are nobody's were not accepted; the first few. */
  readonly rejections: Rejection[] = [];
  /** Why not everything was looked at: then nothing can be said of what is not there. */
  cut: string | undefined;
  /** Trust that cannot be used for this repository, by group. */
  readonly faults: Map<string, string> = new Map();
  readonly #context: EvidenceContext;
  readonly #groups = new Map<string, Group>();
  readonly #pieces: AsyncGenerator<Piece, void, void>;
  readonly #seen: CosignMaterial[] = [];
  #publicGood: TrustedRoot | undefined;

  /** @throws VerificationError `LimitExceeded` for more trust than a verification may look for */
  constructor(subject: Subject, materials: Materials, trusts: readonly SignerTrust[], context: EvidenceContext) {
    this.subject = subject;
    this.#context = context;
    for (const trust of trusts) {
      const group = this.#groups.get(trust.group);
      if (group === undefined) this.#groups.set(trust.group, { trusts: [trust], found: new Set() });
      else group.trusts.push(trust);
    }
    if (this.#groups.size > MAX_GROUPS) throw tooMuch(`${this.#groups.size} trust roots and trust policies`, MAX_GROUPS);
    for (const { trusts: same } of this.#groups.values()) {
      const size = same.reduce(
        (sum, one) => sum + (one.kind === 'keys' ? one.keys.length : one.kind === 'identities' ? one.identities.length : 0),
        0,
      );
      if (size > MAX_TRUSTED) throw tooMuch(`${size} keys or identities`, MAX_TRUSTED);
    }
    this.#pieces = this.#all(materials);
  }

  /** Whether a verdict is by this signer. */
  isBy(trust: SignerTrust, verdict: Verdict): boolean {
    return this.#groups.get(trust.group)?.found.has(verdict) === true && isSigner(trust, verdict);
  }

  /** Looks at further pieces until one gives a verdict; false when there are none. @throws RegistryError when the registry cannot be asked */
  async more(): Promise<boolean> {
    const before = this.verdicts.length;
    for (;;) {
      const { value: piece, done } = await this.#pieces.next();
      if (done === true || piece === undefined) return false;
      if (piece.provider === 'notation') await this.#lookAtNotation(piece.material);
      else {
        this.#seen.push(piece.material);
        await this.#lookAtCosign(piece.material, [...this.#groups.values()]);
      }
      if (this.verdicts.length > before) return true;
    }
  }

  /** Looks again with the newest root of the public-good Sigstore, whose keys rotate; false when that is no other. */
  async renew(): Promise<boolean> {
    const { trust, signal } = this.#context;
    const groups = [...this.#groups.values()].filter(({ trusts: [first] }) => first?.kind === 'identities' && first.root === undefined);
    if (groups.length === 0 || trust.publicGood === undefined) return false;
    const newest = await trust.publicGood.refreshed(signal);
    if (newest === this.#root()) return false;
    this.#publicGood = newest;
    for (const material of this.#seen) await this.#lookAtCosign(material, groups);
    return true;
  }

  async *#all({ cosign, attestations, notation }: Materials): AsyncGenerator<Piece, void, void> {
    const kinds = new Set([...this.#groups.values()].map(({ trusts: [first] }) => (first?.kind === 'notation' ? 'notation' : 'cosign')));
    const bound = new Bound();
    if (kinds.has('cosign')) {
      for await (const material of cosign) {
        if (!this.#isWithin(bound, material)) return;
        yield { provider: 'cosign', material };
      }
    }
    if (kinds.has('notation')) {
      let count = 0;
      for await (const material of notation) {
        if (++count > MAX_SIGNATURES) {
          this.cut = `more than ${MAX_SIGNATURES} notation signatures`;
          break;
        }
        yield { provider: 'notation', material };
      }
    }
    if (kinds.has('cosign')) {
      for await (const material of attestations) {
        if (!this.#isWithin(bound, material)) return;
        yield { provider: 'cosign', material };
      }
    }
  }

  #isWithin(bound: Bound, material: CosignMaterial): boolean {
    const limit = bound.crossed(material);
    if (limit === undefined) return true;
    this.cut = `more than ${limit}`;
    return false;
  }

  async #lookAtCosign(material: CosignMaterial, groups: readonly Group[]): Promise<void> {
    const { clock, signal } = this.#context;
    let rejection: Rejection | undefined;
    let accepted = false;
    for (const group of groups) {
      const policy = this.#policy(group.trusts);
      if (policy === undefined) continue;
      const { verdicts, rejections } = await verifyAllCosign(this.subject, [material], policy, { now: new Date(clock.now()), signal });
      for (const verdict of verdicts) this.#take(group, verdict);
      accepted ||= verdicts.length > 0;
      rejection ??= rejections[0];
    }
    if (!accepted && rejection !== undefined) this.#reject(rejection);
  }

  async #lookAtNotation(material: NotationMaterial): Promise<void> {
    const { clock, signal, trust } = this.#context;
    let rejection: Rejection | undefined;
    let accepted = false;
    for (const [name, group] of this.#groups) {
      const [first] = group.trusts;
      if (first?.kind !== 'notation' || this.faults.has(name)) continue;
      try {
        const { verdicts, rejections } = await verifyAllNotation(this.subject, [material], {
          policy: first.policy,
          stores: first.stores,
          now: new Date(clock.now()),
          signal,
          ...(trust.revocation === undefined ? {} : { revocation: trust.revocation }),
        });
        for (const verdict of verdicts) this.#take(group, verdict);
        accepted ||= verdicts.length > 0;
        rejection ??= rejections[0];
      } catch (error) {
        if (!(error instanceof VerificationError)) throw error;
        this.faults.set(name, error.message);
      }
    }
    if (!accepted && rejection !== undefined) this.#reject(rejection);
  }

  #take(group: Group, verdict: Verdict): void {
    group.found.add(verdict);
    this.verdicts.push(verdict);
  }

  #reject(rejection: Rejection): void {
    if (this.rejections.length < MAX_REJECTIONS) this.rejections.push(rejection);
  }

  /** Of all signers of a group together: who of them it was is told by the verdict. */
  #policy(trusts: readonly SignerTrust[]): CosignPolicy | undefined {
    const keys = new Map<string, PublicKey>();
    for (const trust of trusts) if (trust.kind === 'keys') for (const key of trust.keys) keys.set(key.fingerprint, key);
    const identities = trusts.flatMap((trust) => (trust.kind === 'identities' ? trust.identities : []));
    const [first] = trusts;
    if (first?.kind === 'keys') return { keys: [...keys.values()], ...(first.root === undefined ? {} : { root: first.root }) };
    return first?.kind === 'identities' ? { identities, root: first.root ?? this.#root() } : undefined;
  }

  #root(): TrustedRoot {
    const { trust, signal } = this.#context;
    this.#publicGood ??= trust.publicGood?.current(signal) ?? publicGoodRoot();
    return this.#publicGood;
  }
}

/** Counts the cosign material of one digest, in both formats together. */
class Bound {
  #count = 0;
  #bytes = 0;

  /** The bound that a piece crosses. */
  crossed(material: CosignMaterial): string | undefined {
    this.#count++;
    this.#bytes += material.kind === 'unread' ? 0 : material.kind === 'bundle' ? material.json.length : material.payload.length;
    if (this.#count > MAX_MATERIALS) return `${MAX_MATERIALS} signatures`;
    return this.#bytes > MAX_MATERIAL_BYTES ? `${MAX_MATERIAL_BYTES} bytes` : undefined;
  }
}

function tooMuch(what: string, limit: number): VerificationError {
  return new VerificationError(
    'LimitExceeded',
    `verification policies name ${what}, want at most ${limit} for one OCIRepository`,
    'policies',
    [],
  );
}
