// Records what Kubernetes' OpenAPI documents do not tell of its Go types: which fields are pointers (empty is not absent), which are
// always written and with what zero, and the names of string types in error texts. Read by reflection from the Go modules that
// test/control-plane pins. Writes src/sandbox/data/types.json.br. Needs Go.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const PROGRAM = `package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"

	crd "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	aggregator "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

type entry struct {
	Pointers []string          \`json:"p,omitempty"\`
	Zeroes   map[string]any    \`json:"z,omitempty"\`
	Names    map[string]string \`json:"n,omitempty"\`
}

type named interface{ OpenAPIModelName() string }

var out = map[string]*entry{}
var seen = map[reflect.Type]bool{}
var marshaler = reflect.TypeOf((*json.Marshaler)(nil)).Elem()

func nameOf(t reflect.Type) string {
	if it, ok := reflect.New(t).Interface().(named); ok {
		return it.OpenAPIModelName()
	}
	return ""
}

// zero is how an unset field of type t is written; "=" for a struct, whose own fields say.
func zero(t reflect.Type) any {
	if t.Kind() == reflect.Struct && !t.Implements(marshaler) && !reflect.PointerTo(t).Implements(marshaler) {
		return "="
	}
	data, err := json.Marshal(reflect.New(t).Interface())
	if err != nil {
		return nil
	}
	var value any
	_ = json.Unmarshal(data, &value)
	return value
}

func walk(t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return
	}
	seen[t] = true
	found := &entry{Zeroes: map[string]any{}, Names: map[string]string{}}
	collect(t, found)
	if name := nameOf(t); name != "" {
		out[name] = found
	}
}

func collect(t reflect.Type, found *entry) {
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		tag := strings.Split(f.Tag.Get("json"), ",")
		if !f.IsExported() || tag[0] == "-" {
			continue
		}
		options := map[string]bool{}
		for _, it := range tag[1:] {
			options[it] = true
		}
		walk(f.Type)
		inner := f.Type
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if tag[0] == "" {
			if inner.Kind() == reflect.Struct {
				collect(inner, found)
			}
			continue
		}
		kind := f.Type.Kind()
		written := !options["omitempty"] && !options["omitzero"]
		switch {
		case written || (kind == reflect.Struct && !options["omitzero"]):
			found.Zeroes[tag[0]] = zero(f.Type)
		case kind == reflect.Pointer || kind == reflect.Interface || !options["omitempty"]:
			found.Pointers = append(found.Pointers, tag[0])
		}
		if inner.PkgPath() != "" && inner.Kind() != reflect.Struct {
			found.Names[tag[0]] = inner.String()
		}
	}
}

func main() {
	all := runtime.NewScheme()
	_ = scheme.AddToScheme(all)
	_ = crd.AddToScheme(all)
	_ = aggregator.AddToScheme(all)
	for _, t := range all.AllKnownTypes() {
		walk(t)
	}
	data, _ := json.Marshal(out)
	_, _ = os.Stdout.Write(data)
}
`;

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'sluice-types-'));
for (const file of ['go.mod', 'go.sum']) copyFileSync(join(root, 'test/control-plane', file), join(folder, file));
writeFileSync(join(folder, 'main.go'), PROGRAM);
const run = spawnSync('go', ['run', '.'], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 });
rmSync(folder, { recursive: true, force: true });
if (run.status !== 0) throw new Error(`go run: ${run.stderr}`);
const packed = brotliCompressSync(run.stdout, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
});
writeFileSync(join(root, 'src/sandbox/data/types.json.br'), packed);
process.stdout.write(`types: ${run.stdout.length} bytes, ${packed.length} packed\n`);
