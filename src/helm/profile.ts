/**
 * Which Helm's rules to follow where they differ:
 * `4.2` is 4.2.4 and later, `4.2.0` stands for 4.2.0–4.2.3 (what helm-controller 1.6 is built with), `3.x` is 3.21.
 */
export type Profile = '4.2' | '4.2.0' | '3.x';

/** The rules themselves. */
export type Rules = {
  readonly profile: Profile;
  /** How a rendered file is cut into documents: at `---` lines only, at `---` with the blank around it, and that with blanks trimmed on both sides. */
  readonly separator: 'line' | 'blank' | 'trimmed';
  /** Null defaults of a chart are dropped before they meet the user's values. */
  readonly dropNullDefaults: boolean;
  /** Webhook configurations are installed last. */
  readonly webhooksLast: boolean;
  /**
   * What Helm 4 changed all over: `.Chart` is a map (unknown fields are empty) rather than a struct (they are errors), types are those of
   * Helm 4's packages, `.Capabilities.KubeVersion.Version` keeps what follows the numbers, aliases of one chart share nothing.
   */
  readonly isHelm4: boolean;
  /** Template errors are laid out over several lines. */
  readonly tracedErrors: boolean;
  /** mustToYaml and mustToToml exist, mustToJson panics. */
  readonly mustFunctions: boolean;
  /** Package of SimpleHead in errors. */
  readonly headType: string;
};

const HELM_4_2: Rules = {
  profile: '4.2',
  separator: 'line',
  dropNullDefaults: true,
  webhooksLast: true,
  isHelm4: true,
  tracedErrors: true,
  mustFunctions: true,
  headType: 'util.SimpleHead',
};

const RULES: Readonly<Record<Profile, Rules>> = {
  '4.2': HELM_4_2,
  '4.2.0': { ...HELM_4_2, profile: '4.2.0', separator: 'blank' },
  '3.x': {
    profile: '3.x',
    separator: 'trimmed',
    dropNullDefaults: false,
    webhooksLast: false,
    isHelm4: false,
    tracedErrors: false,
    mustFunctions: false,
    headType: 'releaseutil.SimpleHead',
  },
};

export function rulesOf(profile: Profile): Rules {
  return RULES[profile];
}
