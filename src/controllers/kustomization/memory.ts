import type { ChangeSet } from '../../apply/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { OwnedMemories, OwnedMemory } from '../applier/index.ts';

/** The inputs of the last reconcile that went well; equal inputs give an equal end. */
export type Success = {
  uid: string;
  generation: number;
  /** Hash of what the build read. */
  content: string;
  reads: ReadonlySet<string>;
  folder: string;
  /** Hash of the variables; empty without any. */
  variables: string;
  /** Hash of the build, for status.history. */
  digest: string;
};

/** What the controller remembers of one Kustomization between reconciles. */
export class Memory extends OwnedMemory {
  success: Success | undefined;
  /** Who applied: another account has to show that it may. */
  identity = '';
  /** What the last apply was about, for health checks of an unchanged Kustomization. */
  changes: ChangeSet = [];
  jobs: readonly KubeObject[] = [];

  /** Makes sure that what is known was found out as this account. */
  actAs(identity: string): void {
    if (this.identity !== identity) this.known = new Map();
    this.identity = identity;
  }

  /** Keeps of an apply what later health checks need. */
  remember(changes: ChangeSet, objects: readonly KubeObject[]): void {
    this.changes = changes;
    this.jobs = objects.filter(({ kind }) => kind === 'Job');
  }
}

/** The memories of all Kustomizations. */
export class Memories extends OwnedMemories<Memory> {
  /** @param drifted told the key of a Kustomization one of whose objects was changed by someone else */
  constructor(labels: { name: string; namespace: string }, drifted: (key: string) => void) {
    super(labels, () => new Memory(), drifted);
  }
}
