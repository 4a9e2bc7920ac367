package rolecode

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"mvdan.cc/sh/v3/syntax"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

func TestMain(m *testing.M) { os.Exit(run.Main(m)) }

const oddPath = "/it's/${a}/%{b}/$(c)/`d`/\"e\"\\/"

// roles are what can be asked for: both roles, every partition, and options that
// are hard to quote.
func roles() map[string][]string {
	of := func(region string, more ...string) []string {
		return append([]string{
			"-n", "demo", "--account-id", "123456789012", "--region", region, "--platform", "rosa-hcp",
			"--oidc-issuer", "https://oidc.op1.openshiftapps.com/2abc",
		}, more...)
	}
	return map[string][]string{
		"aws":        of("us-east-2"),
		"aws-us-gov": of("us-gov-west-1", "--partition", "aws-us-gov"),
		"aws-cn":     of("cn-north-1", "--partition", "aws-cn"),
		"aws-eusc":   of("eusc-de-east-1", "--partition", "aws-eusc"),
		"controller": of("us-east-2", "--for", "controller", "--bucket-pattern", "ostoy-*"),
		"odd": of("us-east-2", "--role-name=-o+=,.@_x", "--role-path", oddPath, "--tags", "über alles= -- : / @ ",
			"--permissions-boundary", "arn:aws:iam::123456789012:policy"+oddPath+"limits"),
		"managed": of("us-east-2", "--policy-arn", "arn:aws:iam::aws:policy/AmazonS3FullAccess"),
	}
}

// printed is the role in a format, as somebody on a plane prints it.
func printed(t *testing.T, format string, args ...string) string {
	t.Helper()
	plane := run.User{Kubeconfig: "/nowhere"}.With("AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_EC2_METADATA_DISABLED=true")
	result := plane.Run(t, append([]string{"iam", "render", "--format", format}, args...)...).WantCode(t, 0)
	return result.Stdout
}

// requests are what makes the role, by operation; every other format is held
// against them.
func requests(t *testing.T, args []string) map[string]map[string]any {
	t.Helper()
	var all map[string]map[string]any
	if err := json.Unmarshal([]byte(printed(t, "json", args...)), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// document decodes a policy document.
func document(t *testing.T, text any) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text.(string)), &v); err != nil {
		t.Fatalf("%v: %v", err, text)
	}
	return v
}

// TestScriptParses in bash, and what it assigns are the requests' own values.
func TestScriptParses(t *testing.T) {
	for name, args := range roles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := printed(t, "aws", args...)
			file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), name)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if first := file.Stmts[0].Cmd.(*syntax.CallExpr); words(first.Args) != "set -euo pipefail" {
				t.Errorf("it begins with %s", words(first.Args))
			}
			variables := assigned(file)
			want := requests(t, args)
			if variables["role"] != want["CreateRole"]["RoleName"] {
				t.Errorf("role is %q", variables["role"])
			}
			wantSame(t, document(t, variables["trust"]), document(t, want["CreateRole"]["AssumeRolePolicyDocument"]))
			wantSame(t, document(t, variables["tags"]), want["CreateRole"]["Tags"])
			if inline, ok := want["PutRolePolicy"]; ok {
				wantSame(t, document(t, variables["policy"]), document(t, inline["PolicyDocument"]))
			}
			wantNothingExpanded(t, file, nil, nil)
		})
	}
}

// TestMisused: what cannot be meant is refused before anything is asked.
func TestMisused(t *testing.T) {
	plane := run.User{Kubeconfig: "/nowhere"}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"iam", "render", "--format", "pulumi"}, "unknown format pulumi"},
		{[]string{"iam", "render", "--import"}, "--import goes with --format terraform"},
		{[]string{"iam", "plan", "--for", "me"}, "--for is app or controller"},
		{[]string{"iam", "plan", "-o", "yaml"}, "unknown output format yaml"},
		{[]string{"iam", "render", "--bucket-pattern", "*"}, "--bucket-pattern goes with --for controller"},
		{[]string{"install", "--iam=maybe"}, "--iam is apply or skip"},
		{[]string{"install", "--iam=skip", "--tags", "a=b"}, "with --iam=skip it is not made"},
		{[]string{"install", "--iam=skip", "--adopt=role"}, "with --iam=skip it is not made"},
		{[]string{"install", "--iam=skip", "--new-project"}, "needs the name of the project"},
		{[]string{"install", "--mode", "by-hand"}, "--mode is auto or manual"},
		{[]string{"install", "--mode", "manual", "--dry-run=client"}, "leave out --dry-run"},
		{[]string{"install", "--mode", "manual", "-o", "json"}, "prints a script"},
		{[]string{"install", "--mode", "manual", "--with-controller"}, "oc ostoy-s3 controller install"},
		{[]string{"install", "--mode", "manual", "--token", "abc"}, "name them by --kubeconfig and --context instead of --token"},
		{[]string{"install", "--mode", "manual", "--server", "https://api.example.com"}, "instead of --server"},
	} {
		plane.Run(t, c.args...).WantCode(t, 2).WantStdout(t, "").WantTalk(t, c.says)
	}
}

// words are the words of a command, where all are plain.
func words(all []*syntax.Word) string {
	var out []string
	for _, w := range all {
		out = append(out, w.Lit())
	}
	return strings.Join(out, " ")
}

// assigned are the variables that are given a quoted text.
func assigned(file *syntax.File) map[string]string {
	found := map[string]string{}
	syntax.Walk(file, func(node syntax.Node) bool {
		if a, ok := node.(*syntax.Assign); ok && a.Value != nil {
			text := ""
			for _, part := range a.Value.Parts {
				switch part := part.(type) {
				case *syntax.SglQuoted:
					text += part.Value
				case *syntax.Lit: // \' between two quoted parts
					text += strings.ReplaceAll(part.Value, `\'`, `'`)
				}
			}
			found[a.Name.Value] = text
		}
		return true
	})
	return found
}

// wantNothingExpanded: bash runs and expands what the script itself says, and
// nothing that came in with a value. A script may have variables and commands of
// its own besides those of a role's.
func wantNothingExpanded(t *testing.T, file *syntax.File, variables, commands []string) {
	t.Helper()
	ours := append([]string{"account", "role", "arn", "trust", "policy", "tags", "caller", "trouble", "found", "tab", "ours", "1"}, variables...)
	known := append([]string{"set", "export", "aws", "refuse", "printf", "exit", "["}, commands...)
	syntax.Walk(file, func(node syntax.Node) bool {
		switch n := node.(type) {
		case *syntax.ParamExp:
			if !slices.Contains(ours, n.Param.Value) {
				t.Errorf("$%s is expanded", n.Param.Value)
			}
		case *syntax.CallExpr:
			if len(n.Args) > 0 && !slices.Contains(known, n.Args[0].Lit()) {
				t.Errorf("%q is run", n.Args[0].Lit())
			}
		}
		return true
	})
}

// TestShellcheck, where there is one: it has nothing to say but that what looks
// like an expansion is none (SC2016), which is meant so.
func TestShellcheck(t *testing.T) {
	scripts := manualScripts(t)
	for name, args := range roles() {
		scripts[name] = printed(t, "aws", args...)
	}
	program, err := exec.LookPath("shellcheck")
	for name, text := range scripts {
		if !strings.HasPrefix(text, "#!/usr/bin/env bash\n") {
			t.Errorf("%s: no script\n%s", name, text)
		}
		if err != nil {
			continue
		}
		check := exec.CommandContext(t.Context(), program, "--exclude=SC2016", "-")
		check.Stdin = strings.NewReader(text)
		if output, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, output)
		}
	}
}

// TestTerraform: HashiCorp's library reads the HCL, finds it laid out as terraform
// fmt would, and its values are the requests' own.
func TestTerraform(t *testing.T) {
	for name, args := range roles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := printed(t, "terraform", append(args, "--import")...)
			if laidOut := hclwrite.Format([]byte(text)); !bytes.Equal(laidOut, []byte(text)) {
				t.Errorf("terraform fmt would change it to\n%s\nfrom\n%s", laidOut, text)
			}
			blocks := evaluated(t, text)
			want := requests(t, args)
			create := want["CreateRole"]
			role := blocks["resource aws_iam_role"]
			for attribute, value := range map[string]any{
				"name": create["RoleName"], "path": create["Path"], "description": create["Description"],
				"permissions_boundary": create["PermissionsBoundary"],
			} {
				if !reflect.DeepEqual(role[attribute], value) {
					t.Errorf("%s is %q, want %q", attribute, role[attribute], value)
				}
			}
			wantSame(t, document(t, role["assume_role_policy"]), document(t, create["AssumeRolePolicyDocument"]))
			wantSame(t, role["tags"], tagMap(create["Tags"]))
			if blocks["import"]["id"] != create["RoleName"] {
				t.Errorf("imports %v", blocks["import"])
			}
			if inline, ok := want["PutRolePolicy"]; ok {
				policy := blocks["resource aws_iam_role_policy"]
				wantSame(t, document(t, policy["policy"]), document(t, inline["PolicyDocument"]))
				wantSame(t, policy["name"], inline["PolicyName"])
			} else {
				wantSame(t, blocks["resource aws_iam_role_policy_attachment"]["policy_arn"], want["AttachRolePolicy"]["PolicyArn"])
			}
		})
	}
	if text := printed(t, "terraform", roles()["aws"]...); strings.Contains(text, "import {") {
		t.Errorf("an import nobody asked for\n%s", text)
	}
}

// evaluated are the blocks of a file by type and first label, with the values of
// their attributes as Terraform would compute them.
func evaluated(t *testing.T, text string) map[string]map[string]any {
	t.Helper()
	file, trouble := hclparse.NewParser().ParseHCL([]byte(text), "role.tf")
	if trouble.HasErrors() {
		t.Fatalf("%v\n%s", trouble, text)
	}
	out := map[string]map[string]any{}
	context := &hcl.EvalContext{
		Variables: map[string]cty.Value{},
		Functions: map[string]function.Function{"jsonencode": stdlib.JSONEncodeFunc},
	}
	for _, b := range file.Body.(*hclsyntax.Body).Blocks {
		values := map[string]cty.Value{}
		attributes := map[string]any{}
		for name, a := range b.Body.Attributes {
			if b.Type == "import" && name == "to" {
				continue // an address, not a value
			}
			if b.Type == "resource" && name == "role" || b.Type == "output" {
				continue // of the role, which is known after it is made
			}
			value, trouble := a.Expr.Value(context)
			if trouble.HasErrors() {
				t.Fatalf("%s: %v", name, trouble)
			}
			values[name], attributes[name] = value, plain(t, value)
		}
		out[strings.Join(append([]string{b.Type}, b.Labels[:min(1, len(b.Labels))]...), " ")] = attributes
		if b.Type == "data" {
			context.Variables["data"] = cty.ObjectVal(map[string]cty.Value{
				b.Labels[0]: cty.ObjectVal(map[string]cty.Value{b.Labels[1]: cty.ObjectVal(values)}),
			})
		}
	}
	return out
}

// plain is a value as encoding/json has it.
func plain(t *testing.T, value cty.Value) any {
	t.Helper()
	encoded, err := stdlib.JSONEncode(value)
	if err != nil {
		t.Fatal(err)
	}
	return document(t, encoded.AsString())
}

func tagMap(list any) any {
	tags := map[string]any{}
	for _, one := range list.([]any) {
		tag := one.(map[string]any)
		tags[tag["Key"].(string)] = tag["Value"]
	}
	return tags
}

func wantSame(t *testing.T, have, want any) {
	t.Helper()
	if !reflect.DeepEqual(have, want) {
		t.Errorf("%v\nwant\n%v", have, want)
	}
}

// TestTerraformValidates: where there is a terraform with its provider at hand, it
// says that the code is valid. Nothing is fetched for it.
func TestTerraformValidates(t *testing.T) {
	for name, args := range roles() {
		dir := t.TempDir()
		text := printed(t, "terraform", append(args, "--import")...)
		if err := os.WriteFile(filepath.Join(dir, "role.tf"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, program := range []string{"terraform", "tofu"} {
			if output, ready := terraform(t, program, dir, "init", "-backend=false", "-input=false", "-no-color"); ready {
				if output, ok := terraform(t, program, dir, "validate", "-no-color"); !ok {
					t.Errorf("%s: %s\n%s", name, output, text)
				}
			} else if strings.Contains(output, "role.tf line") {
				t.Errorf("%s: %s\n%s", name, output, text)
			}
		}
	}
}

// terraform runs a program in a folder, with the plugins that are on the machine
// and no others; false where it failed or is not there.
func terraform(t *testing.T, program, dir string, args ...string) (string, bool) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		return "", false
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", false
	}
	config := filepath.Join(dir, "cli.config")
	plugins := filepath.Join(home, ".terraform.d", "plugins")
	if err := os.WriteFile(config, []byte("provider_installation {\n  filesystem_mirror {\n    path = \""+filepath.ToSlash(plugins)+"\"\n  }\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TF_CLI_CONFIG_FILE="+config, "CHECKPOINT_DISABLE=1")
	output, err := cmd.CombinedOutput()
	return string(output), err == nil
}
