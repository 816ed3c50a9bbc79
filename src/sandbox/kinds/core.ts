import type { KubeObject } from '../../manifest/index.ts';
import { configRules } from './config.ts';
import { definitionRules } from './definitions.ts';
import { networkingRules } from './networking.ts';
import { noteRules } from './notes.ts';
import { mapAt, mapsOf, setDefault } from './pod-defaults.ts';
import { roleRules } from './roles.ts';
import type { KindRules } from './rules.ts';
import { scalingRules } from './scaling.ts';
import { serviceRules } from './services.ts';
import { volumeRules } from './volumes.ts';

function webhookDefaults(object: KubeObject): void {
  for (const webhook of mapsOf(object, 'webhooks')) {
    setDefault(webhook, 'failurePolicy', 'Fail');
    setDefault(webhook, 'matchPolicy', 'Equivalent');
    setDefault(webhook, 'namespaceSelector', {});
    setDefault(webhook, 'objectSelector', {});
    setDefault(webhook, 'timeoutSeconds', 10);
    if (object.kind === 'MutatingWebhookConfiguration') setDefault(webhook, 'reinvocationPolicy', 'Never');
    for (const rule of mapsOf(webhook, 'rules')) setDefault(rule, 'scope', '*');
    const target = mapAt(mapAt(webhook, 'clientConfig'), 'service');
    if (target !== undefined) setDefault(target, 'port', 443);
  }
}

const priorityClass: KindRules = {
  hasGeneration: true,
  defaults: (object) => setDefault(object, 'preemptionPolicy', 'PreemptLowerPriority'),
};

/** Rules of the kinds that are not workloads, by collection. */
export const coreRules: Readonly<Record<string, KindRules>> = {
  'apiextensions.k8s.io/customresourcedefinitions': definitionRules,
  '/services': serviceRules,
  ...configRules,
  ...networkingRules,
  ...noteRules,
  ...roleRules,
  ...scalingRules,
  ...volumeRules,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': { hasGeneration: true, defaults: webhookDefaults },
  'admissionregistration.k8s.io/validatingwebhookconfigurations': { hasGeneration: true, defaults: webhookDefaults },
  'scheduling.k8s.io/priorityclasses': priorityClass,
};
