import { quote } from '../../golang/index.ts';
import { defaultProviders, FunctionTable, sprigFunctions, TemplateSet, type Providers } from '../../gotemplate/index.ts';
import { helmError } from '../errors.ts';

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Helm leaves ten characters of a DNS label for what charts append. */
const MAX_NAME = 53;

/** @throws CodedError `ReleaseNameInvalid` for a name Helm would refuse */
export function validateReleaseName(name: string): void {
  const failed = (why: string): Error =>
    helmError('ReleaseNameInvalid', `release name check failed: release name ${quote(name)}: ${why}`, { subject: name });
  if (name === '') throw failed('no name provided');
  if (name.length > MAX_NAME || !NAME.test(name)) {
    throw failed(`invalid release name, must match regex ${NAME.source} and the length must not be longer than ${MAX_NAME}`);
  }
}

/** The name a `--name-template` gives: sprig's functions, no data. @throws TemplateError */
export function renderName(template: string, providers: Providers = defaultProviders): string {
  const set = new TemplateSet({ name: 'name-template', functions: FunctionTable.of(sprigFunctions(providers)) });
  return set.executeTemplate(set.parse('name-template', template), null);
}
