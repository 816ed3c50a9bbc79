import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { YamlObject } from '../golang/index.ts';
import { memoryTree } from '../manifest/index.ts';
import { isCodedError } from '../std/index.ts';
import { defaultCapabilities, loadChart, parseKubeVersion, render, templateOutput, type Rendered, type RenderOptions } from './index.ts';

const release = { name: 'rel', namespace: 'ns' };

function chart(files: Record<string, string>): ReturnType<typeof loadChart> {
  return loadChart(memoryTree({ 'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.2.3\nappVersion: "4"\n', ...files }));
}

function run(files: Record<string, string>, options: Partial<RenderOptions> = {}): Rendered {
  return render(chart(files), { release, ...options });
}

/** What a template prints: NOTES.txt is text, so nothing else looks at it. */
function print(template: string, values: YamlObject = {}, options: Partial<RenderOptions> = {}): string {
  return run({ 'templates/NOTES.txt': template }, { values, ...options }).notes;
}

function failure(files: Record<string, string>, options: Partial<RenderOptions> = {}): string {
  try {
    run(files, options);
  } catch (error) {
    assert.ok(isCodedError(error), String(error));
    return error.message;
  }
  assert.fail('rendered');
}

describe('render', () => {
  it('decodes a text anew each time: what a template does to it stays there', () => {
    const template =
      '{{ $a := fromYaml "x: {k: 1}" }}{{ $_ := set $a.x "k" 2 }}{{ (fromYaml "x: {k: 1}").x.k }}{{ $a.x.k }}{{ fromYamlArray "[1]" }}';
    assert.equal(print(template), '12[1]');
    assert.equal(print(template), '12[1]');
    assert.equal(print('{{ (fromYaml "[1]").Error }}'), print('{{ (fromYaml "[1]").Error }}'));
  });

  it('prints as helm template does: CRDs, manifests, hooks', () => {
    const rendered = run({
      'crds/crd.yaml': 'kind: CustomResourceDefinition\n',
      'templates/b.yaml':
        'apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n',
      'templates/hook.yaml': 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations:\n    "helm.sh/hook": test\n',
      'templates/_helpers.tpl': '{{ define "x" }}{{ end }}',
    });
    const manifests =
      '---\n# Source: demo/templates/b.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n\n' +
      '---\n# Source: demo/templates/b.yaml\napiVersion: v1\nkind: Service\nmetadata:\n  name: rel\n';
    const hook =
      '---\n# Source: demo/templates/hook.yaml\napiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations:\n    "helm.sh/hook": test\n\n';
    assert.equal(templateOutput(rendered), `${manifests}${hook}`);
    assert.equal(templateOutput(rendered, { noHooks: true }), manifests);
    assert.equal(
      templateOutput(rendered, { skipTests: true, includeCrds: true }),
      `---\n# Source: demo/crds/crd.yaml\nkind: CustomResourceDefinition\n\n${manifests}`,
    );
    assert.equal(templateOutput(rendered, { showOnly: ['templates/ho*.yaml'] }), `${hook}\n`);
  });

  it('gives templates the objects of Helm 4', () => {
    assert.equal(print('{{ .Chart.AppVersion }} {{ .Chart.Nope }} {{ .Release.Revision }} {{ .Release.IsInstall }}'), '4  1 true');
    assert.equal(
      print('{{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Minor }} {{ .Capabilities.APIVersions.Has "apps/v1" }}'),
      'v1.36.0 36 true',
    );
    assert.equal(print('{{ .Template.Name }} {{ .Template.BasePath }}'), 'demo/templates/NOTES.txt demo/templates');
    assert.equal(print('{{ typeOf .Values }} {{ typeOf .Chart }}'), 'common.Values map[string]interface {}');
    assert.equal(print('{{ .Release.IsUpgrade }}', {}, { release: { ...release, isUpgrade: true } }), 'true');
  });

  it('gives templates the objects of Helm 3', () => {
    assert.equal(print('{{ .Chart.Name }} {{ typeOf .Values }}', {}, { profile: '3.x' }), 'demo chartutil.Values');
    assert.match(failure({ 'templates/x.yaml': '{{ .Chart.Nope }}' }, { profile: '3.x' }), /can't evaluate field Nope in type/);
    const capabilities = { ...defaultCapabilities, kubeVersion: parseKubeVersion('v1.30.1-gke.5') };
    const version = '{{ .Capabilities.KubeVersion.Version }} {{ .Chart | toJson }}';
    assert.equal(
      print(version, {}, { profile: '3.x', capabilities }),
      'v1.30.1 {"name":"demo","version":"1.2.3","apiVersion":"v2","appVersion":"4","IsRoot":true}',
    );
    assert.match(print(version, {}, { capabilities }), /^v1.30.1-gke.5 /);
  });

  it('reads files of the chart', () => {
    const files = { 'conf/a.ini': 'k=v\n', 'conf/b.ini': '1\n2\n', 'templates/NOTES.txt': '' };
    const notes = (template: string): string => run({ ...files, 'templates/NOTES.txt': template }).notes;
    assert.equal(notes('{{ .Files.Get "conf/a.ini" }}{{ .Files.Get "nope" }}'), 'k=v\n');
    assert.equal(notes('{{ (.Files.Glob "conf/*").AsConfig }}'), 'a.ini: |\n  k=v\nb.ini: |\n  1\n  2');
    assert.equal(notes('{{ (.Files.Glob "conf/a*").AsSecrets }}'), 'a.ini: az12Cg==');
    assert.equal(notes('{{ range .Files.Lines "conf/b.ini" }}<{{ . }}>{{ end }}'), '<1><2>');
  });

  it('takes out <no value>, wherever it comes from', () => {
    assert.equal(print('a{{ .Values.nope }}b<no value>c'), 'abc');
  });

  it('runs includes and tpl with what they see', () => {
    assert.equal(
      print('{{ define "d" }}outer{{ end }}{{ tpl "{{ define \\"d\\" }}inner{{ end }}{{ include \\"d\\" . }}" . }} {{ include "d" . }}'),
      'inner outer',
    );
    assert.equal(print('{{ tpl .Values.t . }}', { t: '{{ .Release.Name }}-{{ .Values.t | len }}' }), 'rel-41');
  });

  it('shows what templates change to those rendered later', () => {
    const files = { 'templates/z.yaml': '{{ $_ := set .Values "seen" "yes" }}', 'templates/NOTES.txt': '{{ .Values.seen }}' };
    assert.equal(run(files).notes, 'yes');
    assert.equal(run(files).notes, 'yes');
    const shared = chart({
      ...files,
      'templates/z.yaml': '{{ $_ := set .Values "seen" (print .Values.seen "x") }}',
      'values.yaml': 'seen: a',
    });
    assert.deepEqual(
      [1, 2].map(() => render(shared, { release }).notes),
      ['ax', 'ax'],
    );
  });

  it('asks for cluster objects', () => {
    const lookup: RenderOptions['lookup'] = (apiVersion, kind, namespace, name) =>
      name === 'x' ? { at: [apiVersion, kind, namespace] } : undefined;
    assert.equal(
      print('{{ toJson (lookup "v1" "Secret" "n" "x") }}{{ lookup "v1" "Secret" "n" "y" }}', {}, { lookup }),
      '{"at":["v1","Secret","n"]}map[]',
    );
    const broken = (): never => {
      throw new Error('forbidden');
    };
    assert.match(failure({ 'templates/x.yaml': '{{ lookup "v1" "Pod" "" "" }}' }, { lookup: broken }), /error calling lookup: forbidden$/);
  });

  it('checks the Kubernetes version a chart wants', () => {
    const files = { 'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.0.0\nkubeVersion: ">=1.30.0-0 <1.40.0-0"\n' };
    run(files, { capabilities: { ...defaultCapabilities, kubeVersion: parseKubeVersion('v1.33.4-gke.1') } });
    assert.equal(
      failure(files, { capabilities: { ...defaultCapabilities, kubeVersion: parseKubeVersion('1.20.3-gke.1') } }),
      'chart requires kubeVersion: >=1.30.0-0 <1.40.0-0 which is incompatible with Kubernetes v1.20.3-gke.1',
    );
  });
});

describe('dependencies', () => {
  const files = {
    'Chart.yaml':
      'apiVersion: v2\nname: demo\nversion: 1.0.0\ndependencies:\n' +
      '- {name: sub, version: 1.x, condition: sub.enabled, tags: [t]}\n' +
      '- {name: sub, version: 1.x, alias: other, import-values: [pub, {child: deep, parent: got.it}]}\n',
    'charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.5.0\n',
    'charts/sub/values.yaml': 'exports: {pub: {port: 80}}\ndeep: {x: 1}\n',
    'charts/sub/templates/cm.yaml': 'kind: ConfigMap\nmetadata: {name: {{ .Chart.Name }}}\n',
    'templates/NOTES.txt': '{{ .Values.port }} {{ .Values.got.it.x }}',
  };
  const names = (values: YamlObject): string[] => run(files, { values }).manifests.map(({ path }) => path);

  it('are switched by conditions and tags', () => {
    assert.deepEqual(names({}), ['demo/charts/other/templates/cm.yaml', 'demo/charts/sub/templates/cm.yaml']);
    assert.deepEqual(names({ sub: { enabled: false } }), ['demo/charts/other/templates/cm.yaml']);
    assert.deepEqual(names({ tags: { t: false } }), ['demo/charts/other/templates/cm.yaml']);
    assert.deepEqual(names({ tags: { t: false }, sub: { enabled: true } }).length, 2);
  });

  it('give values to their parent', () => {
    assert.equal(run(files).notes, '80 1');
    assert.equal(run(files, { values: { port: 1 } }).notes, '1 1');
  });

  it('of aliases share their own in Helm 3 only', () => {
    const nested = {
      'Chart.yaml':
        'apiVersion: v2\nname: demo\nversion: 1.0.0\ndependencies:\n' +
        '- {name: sub, version: "*", alias: a}\n- {name: sub, version: "*", alias: b}\n',
      'charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\ndependencies: [{name: low, version: "*", alias: inner}]\n',
      'charts/sub/charts/low/Chart.yaml': 'apiVersion: v2\nname: low\nversion: 1.0.0\n',
      'charts/sub/charts/low/templates/cm.yaml': 'kind: ConfigMap\nmetadata: {name: {{ .Chart.Name }}}\n',
    };
    const paths = (profile: '4.2' | '3.x'): string[] => run(nested, { profile }).manifests.map(({ path }) => path);
    assert.deepEqual(paths('4.2'), ['demo/charts/a/charts/inner/templates/cm.yaml', 'demo/charts/b/charts/inner/templates/cm.yaml']);
    assert.deepEqual(paths('3.x'), ['demo/charts/a/charts/inner/templates/cm.yaml', 'demo/charts/b/charts/low/templates/cm.yaml']);
  });

  it('must be there', () => {
    const missing = { 'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.0.0\ndependencies: [{name: gone, version: 1.x}]\n' };
    assert.match(failure(missing), /^an error occurred while checking for chart dependencies\. .* missing in charts\/ directory: gone$/);
    run(missing, { allowMissingDependencies: true });
  });
});

describe('errors', () => {
  it('of required and fail are their message alone', () => {
    assert.equal(
      failure({ 'templates/x.yaml': 'a\n{{ required "need\\nit" .Values.x }}' }),
      'execution error at (demo/templates/x.yaml:2:3): need\nit',
    );
    assert.equal(failure({ 'templates/x.yaml': '{{ fail "no" }}' }), 'execution error at (demo/templates/x.yaml:1:3): no');
  });

  it('of templates that do not parse name the line', () => {
    assert.equal(failure({ 'templates/x.yaml': 'a\n{{ nope }}' }), 'parse error at (demo/templates/x.yaml:2): function "nope" not defined');
  });

  it('are laid out by frames in Helm 4, and Go’s own in Helm 3', () => {
    const files = { 'templates/_h.tpl': '{{ define "h" }}{{ .Values.a.b.c }}{{ end }}', 'templates/x.yaml': '{{ include "h" . }}' };
    assert.equal(
      failure(files),
      'demo/templates/x.yaml:1:3\n  executing "demo/templates/x.yaml" at <include "h" .>:\n    error calling include:\n' +
        'demo/templates/_h.tpl:1:26\n  executing "h" at <.Values.a.b.c>:\n    nil pointer evaluating interface {}.b',
    );
    assert.equal(
      failure(files, { profile: '3.x' }),
      'template: demo/templates/x.yaml:1:3: executing "demo/templates/x.yaml" at <include "h" .>: error calling include: ' +
        'template: demo/templates/_h.tpl:1:26: executing "h" at <.Values.a.b.c>: nil pointer evaluating interface {}.b',
    );
  });

  it('that are no template’s stay as they are', () => {
    assert.equal(
      failure({ 'templates/x.yaml': '{{ index .Values "a" "b" }}' }, { values: { a: 1 } }),
      'template: demo/templates/x.yaml:1:3: executing "demo/templates/x.yaml" at <index .Values "a" "b">: error calling index: can\'t index item of type float64',
    );
  });

  it('of schemas name the chart', () => {
    assert.equal(
      failure({ 'values.schema.json': '{"required":["x"]}' }),
      "values don't meet the specifications of the schema(s) in the following chart(s):\ndemo:\n- at '': missing property 'x'\n",
    );
    run({ 'values.schema.json': '{"required":["x"]}' }, { skipSchemaValidation: true });
  });
});

describe('hostile templates end in a coded error', () => {
  const cases: Record<string, [template: string, values?: YamlObject]> = {
    'endless include': ['{{ define "l" }}{{ include "l" . }}{{ include "l" . }}{{ end }}{{ include "l" . }}'],
    'endless tpl': ['{{ tpl .Values.x . }}', { x: '{{ tpl .Values.x . }}' }],
    'growing tpl': ['{{ tpl .Values.x . }}', { x: '{{ tpl (print .Values.x .Values.x) . }}' }],
    repeat: ['{{ repeat 1000000000 "abc" }}'],
    doubling: ['{{ $x := "aaaaaaaa" }}{{ range until 40 }}{{ $x = print $x $x }}{{ end }}{{ $x }}'],
    'long lists': ['{{ until 1000000000 }}'],
    'a map in itself': ['{{ $x := dict }}{{ $_ := set $x "x" $x }}{{ $x }}'],
  };
  for (const [name, [template, values]] of Object.entries(cases)) {
    it(name, () => {
      const start = performance.now();
      assert.throws(
        () => print(template, values),
        (error) => isCodedError(error, 'BudgetExceeded', 'RenderFailed'),
      );
      assert.ok(performance.now() - start < 5000);
    });
  }

  it('loops', () => {
    const limits = { steps: 100_000 };
    assert.throws(() => print('{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}', {}, { limits }), {
      code: 'BudgetExceeded',
    });
  });
});
