import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, type ParsedTemplates } from './parser.ts';
import { printNode } from './print.ts';
import { TemplateError } from '../error.ts';

const options = { isFunction: (name: string): boolean => name !== 'nosuch' && !['break', 'continue'].includes(name) };

function parsed(text: string): ParsedTemplates | undefined {
  try {
    return parse('t', text, options);
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}

test('what is printed of a tree parses to the same tree', () => {
  const lines = readFileSync(join(import.meta.dirname, '../testdata/cases.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  let count = 0;
  for (const line of lines) {
    const { template, left } = JSON.parse(line) as { template?: string; left?: string };
    const tree = template === undefined || left !== undefined ? undefined : parsed(template);
    // A text may itself hold what looks like an action once the white space around it is gone.
    if (tree === undefined || printNode(tree.main).includes('{{{')) continue;
    const printed = printNode(tree.main);
    const again = parsed(printed);
    if (again === undefined) continue;
    assert.equal(printNode(again.main), printed);
    count++;
  }
  assert.ok(count > 500, `only ${count} texts parsed`);
});

test('nodes print as Go prints them', () => {
  const prints = {
    '{{ .a.b  |  printf "%d"   ( len .x )   `raw`  }}': '{{.a.b | printf "%d" (len .x) `raw`}}',
    '{{- if $x := 1 -}} a {{- else if .b }} b {{ else }} c {{ end }}': '{{if $x := 1}}a{{else}}{{if .b}} b {{else}} c {{end}}{{end}}',
    '{{ range $i , $v := .list }}{{ break }}{{ continue }}{{ end }}': '{{range $i, $v := .list}}{{break}}{{continue}}{{end}}',
    '{{ with (index .a 0).b.c }}{{ $ }}{{ . }}{{ nil | f }}{{ end }}': '{{with (index .a 0).b.c}}{{$}}{{.}}{{nil | f}}{{end}}',
    '{{ template `a\\b` . }}{{ template "c" }}': '{{template "a\\\\b" .}}{{template "c"}}',
    "{{ $y = 0x1F }}{{ $y.z }}{{ 'x' }}{{ 1.50 }}{{ true }}{{ f.g }}": "{{$y = 0x1F}}{{$y.z}}{{'x'}}{{1.50}}{{true}}{{f.g}}",
    '{{/* gone */}}x{{ block "n" .a }}in{{ end }}': 'x{{template "n" .a}}',
  };
  for (const [text, printed] of Object.entries(prints))
    assert.equal(printNode(parse('t', `{{$y := 1}}${text}`, options).main), `{{$y := 1}}${printed}`);
});
