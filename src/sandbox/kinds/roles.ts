import { type Json, sameJson } from '../fields/index.ts';
import type { FieldFault } from '../request/status.ts';
import { immutable, invalidValue, required, unsupported } from './faults.ts';
import { mapAt, mapsOf, setDefault } from './pod-defaults.ts';
import type { Draft0, KindRules } from './rules.ts';

const GROUP = 'rbac.authorization.k8s.io';

function ruleFaults(rule: Draft0, at: string, namespaced: boolean): FieldFault[] {
  const has = (field: string): boolean => Array.isArray(rule[field]) && rule[field].length > 0;
  const faults: FieldFault[] = has('verbs') ? [] : [required(`${at}.verbs`)];
  if (has('nonResourceURLs')) {
    const where = `${at}.nonResourceURLs`;
    const urls = rule['nonResourceURLs'];
    if (namespaced) faults.push(invalidValue(where, urls, 'namespaced rules cannot apply to non-resource URLs'));
    if (has('apiGroups') || has('resources') || has('resourceNames'))
      faults.push(invalidValue(where, urls, 'rules cannot apply to both regular resources and non-resource URLs'));
    return faults;
  }
  if (!has('apiGroups')) faults.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
  if (!has('resources')) faults.push(required(`${at}.resources`, 'resource rules must supply at least one resource'));
  return faults;
}

function role(namespaced: boolean): KindRules {
  return {
    names: 'path',
    validate: (object) => {
      const faults = mapsOf(object, 'rules').flatMap((rule, i) => ruleFaults(rule, `rules[${i}]`, namespaced));
      const aggregation = mapAt(object, 'aggregationRule');
      if (aggregation !== undefined && mapsOf(aggregation, 'clusterRoleSelectors').length === 0)
        faults.push(
          required('aggregationRule.clusterRoleSelectors', 'at least one clusterRoleSelector required if aggregationRule is non-nil'),
        );
      return faults;
    },
  };
}

function subjectFaults(subject: Draft0, at: string, namespaced: boolean): FieldFault[] {
  const { name, kind, apiGroup = '', namespace } = subject;
  const faults: FieldFault[] = name === undefined || name === '' ? [required(`${at}.name`)] : [];
  switch (kind) {
    case 'ServiceAccount':
      if (apiGroup !== '') faults.push(unsupported(`${at}.apiGroup`, apiGroup, ['']));
      if (!namespaced && (namespace === undefined || namespace === '')) faults.push(required(`${at}.namespace`));
      return faults;
    case 'User':
    case 'Group':
      if (apiGroup !== GROUP) faults.push(unsupported(`${at}.apiGroup`, apiGroup, [GROUP]));
      return faults;
    default:
      return [...faults, unsupported(`${at}.kind`, kind ?? '', ['ServiceAccount', 'User', 'Group'])];
  }
}

function binding(namespaced: boolean): KindRules {
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  return {
    names: 'path',
    defaults: (object) => {
      const ref = mapAt(object, 'roleRef');
      if (ref !== undefined) setDefault(ref, 'apiGroup', GROUP);
      for (const subject of mapsOf(object, 'subjects'))
        if (subject['kind'] === 'User' || subject['kind'] === 'Group') setDefault(subject, 'apiGroup', GROUP);
    },
    validate: (object, old) => {
      const ref = mapAt(object, 'roleRef');
      const faults: FieldFault[] = [];
      if (ref?.['apiGroup'] !== GROUP) faults.push(unsupported('roleRef.apiGroup', ref?.['apiGroup'], [GROUP]));
      if (!kinds.includes(String(ref?.['kind']))) faults.push(unsupported('roleRef.kind', ref?.['kind'], kinds));
      if ((ref?.['name'] ?? '') === '') faults.push(required('roleRef.name'));
      faults.push(...mapsOf(object, 'subjects').flatMap((it, i) => subjectFaults(it, `subjects[${i}]`, namespaced)));
      if (old !== undefined && !sameJson(object['roleRef'] as Json | undefined, old['roleRef'] as Json | undefined))
        faults.push(immutable('roleRef', internalRef(ref)));
      return faults;
    },
  };
}

/** A roleRef in the words of the API server's internal type. */
function internalRef(ref: Draft0 | undefined): Record<string, unknown> {
  return { APIGroup: ref?.['apiGroup'], Kind: ref?.['kind'], Name: ref?.['name'] };
}

/** Roles and bindings. */
export const roleRules: Readonly<Record<string, KindRules>> = {
  'rbac.authorization.k8s.io/roles': role(true),
  'rbac.authorization.k8s.io/clusterroles': role(false),
  'rbac.authorization.k8s.io/rolebindings': binding(true),
  'rbac.authorization.k8s.io/clusterrolebindings': binding(false),
};
