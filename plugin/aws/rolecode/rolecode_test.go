package rolecode

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// factsIn are those of a made-up cluster.
func factsIn(partition, region string) render.Facts {
	return render.Facts{
		Namespace: render.Fact{Value: "demo"},
		ClusterID: render.Fact{Value: "11111111-aaaa-4bbb-8ccc-222222222222"},
		Issuer:    render.Fact{Value: "https://oidc.op1.openshiftapps.com/2abc"},
		Audience:  render.Fact{Value: render.DefaultAudience},
		Account:   render.Fact{Value: "123456789012"},
		Partition: render.Fact{Value: partition},
		Region:    render.Fact{Value: region},
	}
}

func app(t *testing.T, f render.Facts, o iam.RoleOptions) Source {
	t.Helper()
	role, err := iam.Desired(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return Source{Role: role, Facts: f}
}

func controller(t *testing.T, f render.Facts, o iam.ControllerOptions) Source {
	t.Helper()
	f.Namespace.Value = render.ControllerNamespace
	role, err := iam.DesiredController(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return Source{Role: role, Facts: f}
}

// odd are legal options that every syntax has to quote.
func odd() iam.RoleOptions {
	const path = "/it's/${a}/%{b}/$(c)/`d`/\"e\"\\/"
	return iam.RoleOptions{
		Name:      "-o+=,.@_x",
		Path:      path,
		Boundary:  "arn:aws:iam::123456789012:policy" + path + "limits",
		PolicyARN: "arn:aws:iam::123456789012:policy" + path + "rights",
		Tags:      map[string]string{"über alles": " -- = : / @ ", "empty": ""},
	}
}

// printed gives a format, twice the same.
func printed(t *testing.T, format Format, s Source) string {
	t.Helper()
	text, err := Print(format, s)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Print(format, s); err != nil || again != text {
		t.Errorf("%s: another text the second time, %v", format, err)
	}
	return text
}

// TestGolden: every format of both roles in every partition.
func TestGolden(t *testing.T) {
	regions := map[string]string{"aws": "us-east-2", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1", "aws-eusc": "eusc-de-east-1"}
	for partition, region := range regions {
		golden(t, partition, app(t, factsIn(partition, region), iam.RoleOptions{}))
	}
	golden(t, "controller", controller(t, factsIn("aws", "us-east-2"), iam.ControllerOptions{BucketPattern: iam.AnyProjectPattern}))
	strange := app(t, factsIn("aws", "us-east-2"), odd())
	strange.Import = true
	golden(t, "odd", strange)
}

func golden(t *testing.T, name string, s Source) {
	for _, format := range Formats() {
		t.Run(name+"/"+string(format), func(t *testing.T) {
			text := printed(t, format, s)
			path := filepath.Join("testdata", name+"."+string(format))
			if *update {
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decoded(t, format, string(want)), decoded(t, format, text)); diff != "" {
				t.Errorf("-want +got; if on purpose: go test ./plugin/rolecode -update\n%s", diff)
			}
		})
	}
}

// decoded is what a text says, where it is data, with the documents in it, too.
func decoded(t *testing.T, format Format, text string) any {
	t.Helper()
	switch format {
	case JSON, CloudFormation, ACK:
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%s: %v\n%s", format, err, text)
		}
		return inside(v)
	}
	return strings.Split(text, "\n")
}

// inside decodes texts that are JSON.
func inside(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = inside(v[k])
		}
	case []any:
		for i := range v {
			v[i] = inside(v[i])
		}
	case string:
		var document map[string]any
		if json.Unmarshal([]byte(v), &document) == nil {
			return document
		}
	}
	return v
}

// TestDocuments: what the engines are given means what install would send.
func TestDocuments(t *testing.T) {
	for name, s := range map[string]Source{
		"app":        app(t, factsIn("aws-cn", "cn-north-1"), iam.RoleOptions{}),
		"controller": controller(t, factsIn("aws", "us-east-2"), iam.ControllerOptions{BucketPattern: "ostoy-*"}),
	} {
		t.Run(name, func(t *testing.T) {
			var ack struct {
				Spec struct {
					AssumeRolePolicyDocument string
					InlinePolicies           map[string]string
				}
			}
			unmarshal(t, printed(t, ACK, s), &ack)
			wantDocument(t, ack.Spec.AssumeRolePolicyDocument, s.Role.Trust)
			wantDocument(t, ack.Spec.InlinePolicies[iam.PolicyName], *s.Role.Policy)

			var requests map[string]map[string]any
			unmarshal(t, printed(t, JSON, s), &requests)
			trust, _ := requests["CreateRole"]["AssumeRolePolicyDocument"].(string)
			policy, _ := requests["PutRolePolicy"]["PolicyDocument"].(string)
			wantDocument(t, trust, s.Role.Trust)
			wantDocument(t, policy, *s.Role.Policy)
		})
	}
}

func unmarshal(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

func wantDocument(t *testing.T, text string, want iam.Document) {
	t.Helper()
	is, err := iam.ParseDocument(text)
	if err != nil || !is.Equal(want) {
		t.Errorf("%v\n%s\nwant\n%s", err, text, want.Pretty())
	}
}

// TestTooLongToIndent: blanks must not push a trust policy over IAM's limit.
func TestTooLongToIndent(t *testing.T) {
	f := factsIn("aws", "us-east-2")
	f.Audience.Value = strings.Repeat("a", 1600)
	s := app(t, f, iam.RoleOptions{})
	if text := readable(s.Role.Trust); strings.Contains(text, "\n") || len(text) > maxTrust {
		t.Errorf("%d characters:\n%s", len(text), text)
	}
	if text := readable(app(t, factsIn("aws", "us-east-2"), iam.RoleOptions{}).Role.Trust); !strings.Contains(text, "\n") {
		t.Errorf("not for people: %s", text)
	}
}

// TestSubKeepsItsHandsOff: only our two parameters are replaced in a template.
func TestSubKeepsItsHandsOff(t *testing.T) {
	s := app(t, factsIn("aws", "us-east-2"), iam.RoleOptions{})
	d := s.Role.Trust
	d.Statement = append(d.Statement, iam.Statement{
		Effect: "Allow", Action: iam.Strings{"sts:TagSession"}, Resource: iam.Strings{"${aws:userid}", "123456789012"},
	})
	text := s.parametrized(d).JSON()
	for _, want := range []string{
		`"${!aws:userid}"`, `"123456789012"`, `"${Issuer}:sub"`, `"${Issuer}:aud"`,
		`"arn:aws:iam::${Account}:oidc-provider/${Issuer}"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if d.JSON() == text || strings.Contains(s.Role.Trust.JSON(), "${") {
		t.Error("the role itself was changed")
	}
}

func TestUnknownFormat(t *testing.T) {
	if text, err := Print("yaml", app(t, factsIn("aws", "us-east-2"), iam.RoleOptions{})); err == nil {
		t.Error(text)
	}
}
