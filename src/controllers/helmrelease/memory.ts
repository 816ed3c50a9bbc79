import type { Known } from '../../apply/index.ts';
import { OwnedMemories, OwnedMemory } from '../applier/index.ts';
import type { Flight } from './flight.ts';

/** What the controller remembers of one HelmRelease between reconciles. */
export class Memory extends OwnedMemory {
  override known: Map<string, Known> = new Map();
  /** Who released, and where: for another account or cluster nothing is known. */
  identity = '';
  /** An action that waits while something newer has a look. */
  flight: Flight | undefined;
  /** True when changes of the released objects matter. */
  watchesDrift = false;

  /** Makes sure that what is known was found out as this account, in this cluster. */
  actAs(identity: string): void {
    if (this.identity !== identity) this.known = new Map();
    this.identity = identity;
  }
}

/** The memories of all HelmReleases. */
export class Memories extends OwnedMemories<Memory> {
  /** @param drifted told the key of a HelmRelease one of whose objects was changed by someone else */
  constructor(labels: { name: string; namespace: string }, drifted: (key: string) => void) {
    super(labels, () => new Memory(), drifted);
  }
}
