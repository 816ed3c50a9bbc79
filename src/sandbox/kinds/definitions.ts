import type { FieldFault } from '../request/status.ts';
import { mapAt, mapIn, mapsOf, setDefault } from './pod-defaults.ts';
import type { KindRules } from './rules.ts';

/** CustomResourceDefinitions: names follow from the kind, exactly one version is stored. */
export const definitionRules: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = mapIn(object, 'spec');
    const names = mapIn(spec, 'names');
    if (names['singular'] === undefined || names['singular'] === '') names['singular'] = String(names['kind']).toLowerCase();
    if (names['listKind'] === undefined || names['listKind'] === '') names['listKind'] = `${String(names['kind'])}List`;
    setDefault(mapIn(spec, 'conversion'), 'strategy', 'None');
  },
  prepareCreate: (object) => {
    const stored = mapsOf(mapAt(object, 'spec'), 'versions').filter((it) => it['storage'] === true);
    mapIn(object, 'status')['storedVersions'] = stored.map((it) => it['name']);
  },
  validate: (object) => {
    const spec = mapAt(object, 'spec');
    const faults: FieldFault[] = [];
    if (object.metadata.name !== `${String(mapAt(spec, 'names')?.['plural'])}.${String(spec?.['group'])}`)
      faults.push({
        type: 'FieldValueInvalid',
        field: 'metadata.name',
        message: `Invalid value: ${JSON.stringify(object.metadata.name)}: must be spec.names.plural+"."+spec.group`,
      });
    if (spec?.['scope'] !== 'Cluster' && spec?.['scope'] !== 'Namespaced')
      faults.push({
        type: 'FieldValueNotSupported',
        field: 'spec.scope',
        message: `Unsupported value: ${JSON.stringify(spec?.['scope'])}: supported values: "Cluster", "Namespaced"`,
      });
    const versions = mapsOf(spec, 'versions');
    if (versions.filter((it) => it['storage'] === true).length !== 1)
      faults.push({
        type: 'FieldValueInvalid',
        field: 'spec.versions',
        message: 'Invalid value: must have exactly one version marked as storage version',
      });
    versions.forEach((version, i) => {
      if (mapAt(mapAt(version, 'schema'), 'openAPIV3Schema') === undefined)
        faults.push({
          type: 'FieldValueRequired',
          field: `spec.versions[${i}].schema.openAPIV3Schema`,
          message: 'Required value: schemas are required',
        });
    });
    return faults;
  },
};
