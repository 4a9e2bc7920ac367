package charts_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Every wrong value is refused, with a message that names it and the rule.
func TestValuesRefused(t *testing.T) {
	for _, tc := range []struct {
		set  string
		want []string // all in the message
	}{
		{"aws.accountID=\"12\"", []string{"/aws/accountID", "does not match pattern", "[0-9]{12}"}},
		{"aws.accountID=123456789012", []string{"/aws/accountID", "got number, want string"}},
		{"aws.accountID=1234-5678-9012", []string{"/aws/accountID"}},
		{"aws.partition=azure", []string{"/aws/partition", "'aws', 'aws-us-gov', 'aws-cn', 'aws-eusc'"}},
		{"aws.region=Ohio", []string{"/aws/region", "does not match pattern"}},
		{"aws.region=us-east-2a", []string{"/aws/region"}},
		{"aws.roleARN=ostoy-sa", []string{"/aws/roleARN", "does not match pattern", "role/"}},
		{"aws.roleARN=arn:aws:iam::123456789012:user/x", []string{"/aws/roleARN"}},
		{"aws.roleARN=arn:aws:iam::123456789012:role/a b", []string{"/aws/roleARN"}},
		{"aws.secretKey=x", []string{"/aws", "additional properties 'secretKey' not allowed"}},
		{"aws=null", []string{"missing property 'aws'"}},
		{"audience=", []string{"/audience"}},
		{"audience=a b", []string{"/audience"}},
		{"podIdentity=irsa", []string{"/podIdentity", "'projected', 'webhook'"}},
		{"waitForBucket=true", []string{"/waitForBucket"}},
		{"waitForBucket.enabled=maybe", []string{"/waitForBucket/enabled", "want boolean"}},
		{"waitForBucket.propagationSeconds=0", []string{"/waitForBucket/propagationSeconds", "minimum"}},
		{"waitForBucket.propagationSeconds=1.5", []string{"/waitForBucket/propagationSeconds"}},
		{"waitForBucket.seconds=5", []string{"/waitForBucket", "'seconds' not allowed"}},
		{"expose=loadbalancer", []string{"/expose", "'auto', 'route', 'ingress', 'none'"}},
		{"ingress.host=https://x.example.com", []string{"/ingress/host"}},
		{"ingress.host=UPPER.example.com", []string{"/ingress/host"}},
		{"ingress.className=a b", []string{"/ingress/className"}},
		{"ingress.annotations.a=1", []string{"/ingress/annotations/a", "want string"}},
		{"ingress.tls=true", []string{"/ingress/tls", "want array"}},
		{"ingress.tls[0].secretName=A_b", []string{"/ingress/tls/0/secretName"}},
		{"ingress.tls[0].hosts[0]=https://x.example.com", []string{"/ingress/tls/0/hosts/0"}},
		{"ingress.tls[0].secret=x", []string{"'secret' not allowed"}},
		{"route.tls=true", []string{"/route/tls", "'edge', 'none'"}},
		{"route.tls=passthrough", []string{"/route/tls", "'edge', 'none'"}},
		{"route.tls=null", []string{"missing property 'tls'"}},
		{"route.host=x.example.com", []string{"'host' not allowed"}},
		{"scc.restricted=yes please", []string{"/scc/restricted"}},
		{"scc.privileged=true", []string{"'privileged' not allowed"}},
		{"secrets.existing=ostoy", []string{"/secrets/existing"}},
		{"secrets.password=x", []string{"'password' not allowed"}},
		{"tags.a?b=c", []string{"/tags", "'a?b' not allowed"}},
		{"tags.a=1", []string{"/tags/a", "want string"}},
		{"tags.a=x?y", []string{"/tags/a"}},
		{"tags.a=" + strings.Repeat("x", 257), []string{"/tags/a", "maxLength"}},
		{"bucket.tags." + strings.Repeat("x", 129) + "=y", []string{"/bucket/tags"}},
		{"bucket.name=mine", []string{"'name' not allowed"}},
		{"frontend.image.repository=quay.io/lab/ostoy:1", []string{"/frontend/image/repository"}},
		{"frontend.image.repository=", []string{"/frontend/image/repository"}},
		{"frontend.image.tag=", []string{"/frontend/image/tag"}},
		{"frontend.image.tag=16", []string{"/frontend/image/tag", "want string"}},
		{"frontend.image.digest=sha256:1", []string{"/frontend/image/digest"}},
		{"frontend.image.pullPolicy=Sometimes", []string{"/frontend/image/pullPolicy", "'Always'"}},
		{"frontend.image.name=x", []string{"'name' not allowed"}},
		{"frontend.replicas=2", []string{"/frontend/replicas", "maximum"}},
		{"frontend.resources.requests.cpu=much", []string{"/frontend/resources/requests/cpu"}},
		{"frontend.resources.cpu=1", []string{"'cpu' not allowed"}},
		{"frontend.serviceAccount=x", []string{"'serviceAccount' not allowed"}},
		{"microservice.replicas=-1", []string{"/microservice/replicas", "minimum"}},
		{"microservice.image=x", []string{"/microservice/image", "want object"}},
		{"storage.size=big", []string{"/storage/size"}},
		{"storage.size=0", []string{"/storage/size"}},
		{"storage.storageClassName=GP3", []string{"/storage/storageClassName"}},
		{"imagePullSecrets=one", []string{"/imagePullSecrets", "want array"}},
		{"imagePullSecrets[0].name=one", []string{"/imagePullSecrets/0"}},
		{"podSecurityContext.runAsUser=0", []string{"/podSecurityContext/runAsUser", "minimum"}},
		{"podSecurityContext.privileged=true", []string{"'privileged' not allowed"}},
		{"readOnlyRootFilesystem=yes please", []string{"/readOnlyRootFilesystem", "want boolean"}},
		{"networkPolicy=restricted", []string{"/networkPolicy", "want object"}},
		{"networkPolicy.ingress=closed", []string{"/networkPolicy/ingress", "'auto', 'restricted', 'open'"}},
		{"networkPolicy.egress=auto", []string{"/networkPolicy/egress", "'open', 'restricted'"}},
		{"networkPolicy.proxyPorts[0]=http", []string{"/networkPolicy/proxyPorts/0", "want integer"}},
		{"networkPolicy.proxyPorts[0]=65536", []string{"/networkPolicy/proxyPorts/0", "maximum"}},
		{"networkPolicy.from=x", []string{"'from' not allowed"}},
		{"frontend.resources.limits.ephemeral-storage=much", []string{"/frontend/resources/limits/ephemeral-storage"}},
		{"namespace=x", []string{"additional properties 'namespace' not allowed"}},
	} {
		t.Run(tc.set, func(t *testing.T) {
			_, err := tryRender(t, input{set: []string{tc.set}})
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the message lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestValuesAccepted(t *testing.T) {
	for _, set := range []string{
		"aws.roleARN=arn:aws:iam::123456789012:role/a/b=c/d@e",
		"aws.region=ap-southeast-2",
		"tags.owner=Ärztehaus Süd: a+b@c/d_e",
		"tags.empty=",
		"ingress.host=*.apps.example.com",
		"frontend.image.repository=localhost:5000/ostoy",
		"frontend.resources.requests.cpu=1",
		"frontend.resources.limits=null",
		"microservice.replicas=5",
		"storage.size=1.5Ti",
		"podSecurityContext.supplementalGroups[0]=7",
		"global.anything=goes",
		"readOnlyRootFilesystem=false",
		"networkPolicy.proxyPorts[0]=3128",
	} {
		t.Run(set, func(t *testing.T) { render(t, input{set: []string{set}}) })
	}
}

// Contradictions the schema cannot see.
func TestValuesThatContradictEachOther(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   input
		want string
	}{
		{"no account", input{set: []string{"aws.accountID="}}, "aws.accountID is not set"},
		{"no region", input{set: []string{"aws.region="}}, "aws.region is not set"},
		{"no role", input{set: []string{"aws.roleARN="}}, "aws.roleARN is not set"},
		{"nothing at all", input{bare: true}, "is not set"},
		{"role of another account", input{set: []string{"aws.roleARN=arn:aws:iam::222222222222:role/x"}}, "does not begin with arn:aws:iam::123456789012:role/"},
		{"role of another partition", input{set: []string{"aws.roleARN=arn:aws-cn:iam::123456789012:role/x"}}, "does not begin with"},
		{"region of another partition", input{set: []string{"aws.region=cn-north-1"}}, "belongs to the partition aws-cn"},
		{"GovCloud", input{set: []string{"aws.region=us-gov-west-1"}}, "belongs to the partition aws-us-gov"},
		{"sovereign cloud", input{set: []string{"aws.region=eusc-de-east-1"}}, "belongs to the partition aws-eusc"},
		{"tag of AWS", input{set: []string{"bucket.tags.AWS:x=y"}}, "tag AWS:x: AWS keeps keys"},
		{"too many tags", input{set: tags(49)}, "49 together"},
		{"long namespace", input{namespace: strings.Repeat("n", 57)}, "57 characters, at most 56"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tryRender(t, tc.in)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
	render(t, input{namespace: strings.Repeat("n", 56), set: tags(48)})
}

func tags(count int) []string {
	var set []string
	for i := range count {
		set = append(set, fmt.Sprintf("bucket.tags.key%d=x", i))
	}
	return set
}

// A key without a place in the schema could not be set; a key of the schema
// without a default would not be documented.
func TestSchemaAndDefaultsHaveTheSameKeys(t *testing.T) {
	loaded := load(t)
	schema := decode(t, "values.schema.json", string(loaded.Schema))[0].Object
	properties := at(t, schema, "properties").(map[string]any)
	known := slices.DeleteFunc(slices.Sorted(maps.Keys(properties)), func(key string) bool { return key == "global" })
	given := slices.Sorted(maps.Keys(loaded.Values))
	if !slices.Equal(known, given) {
		t.Errorf("schema %v\nvalues %v", known, given)
	}
	for _, problem := range open(schema, "#") {
		t.Error(problem)
	}
}

// open lists the objects of a schema that let unknown keys pass.
func open(node any, where string) []string {
	var problems []string
	switch n := node.(type) {
	case map[string]any:
		if _, closed := n["additionalProperties"]; n["type"] == "object" && !closed && !strings.HasSuffix(where, "/global") {
			problems = append(problems, where+" takes any key")
		}
		for key, inner := range n {
			problems = append(problems, open(inner, where+"/"+key)...)
		}
	case []any:
		for _, inner := range n {
			problems = append(problems, open(inner, where)...)
		}
	}
	return problems
}
