import { within } from './errors.ts';
import { ResourceList } from './resource-list.ts';
import type { Resource } from './resource.ts';
import { EMPTY_CONFIG, mergeConfig, type TransformerConfig } from './transformer-config.ts';
import { VarSet } from './transform/vars.ts';

/** Resources, and the rules gathered while they were. */
export class Accumulator {
  readonly resources: ResourceList = new ResourceList();
  config: TransformerConfig = EMPTY_CONFIG;
  readonly vars: VarSet = new VarSet();

  append(resources: readonly Resource[]): void {
    this.resources.appendAll(resources);
  }

  addConfig(config: TransformerConfig, what: string): void {
    this.config = within(what, () => mergeConfig(this.config, config), 'KustomizationInvalid');
  }

  /** Adds everything another accumulator holds. */
  merge(other: Accumulator): void {
    this.append(other.resources.items);
    this.config = mergeConfig(this.config, other.config);
    this.vars.addAll(other.vars);
  }
}
