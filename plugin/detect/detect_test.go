package detect

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const adminARN = "arn:aws:sts::123456789012:assumed-role/Admin/me@example.com"

// wantFacts compares "value (source)" of the facts named; an unknown fact is
// its reason.
func wantFacts(t *testing.T, facts render.Facts, want map[string]string) {
	t.Helper()
	for _, row := range facts.Rows() {
		expected, ok := want[row.Name]
		if !ok {
			continue
		}
		got := row.Value + " (" + row.Source + ")"
		if row.Value == "" {
			got = row.Why
		}
		if got != expected {
			t.Errorf("%s: %s\n   want: %s", row.Name, got, expected)
		}
	}
}

func TestPersonas(t *testing.T) {
	sts := map[string]string{"accountID": "123456789012 (sts:GetCallerIdentity)", "partition": "aws (sts:GetCallerIdentity)", "audience": "sts.amazonaws.com (default)"}
	for name, c := range map[string]struct {
		server func(*testing.T) *clustertest.Server
		region string // AWS_REGION
		want   map[string]string
		notes  string
		asked  int
	}{
		"admin of ROSA HCP": {
			server: func(t *testing.T) *clustertest.Server { return openshift(t, "External", true) },
			want: map[string]string{
				"namespace": "demo (kubeconfig context here)", "platform": "rosa-hcp (infrastructures/cluster)",
				"clusterID": "6c1f-cluster (clusterversions/version)", "issuer": rosaIssuer + " (authentications/cluster)",
				"region": "us-east-2 (infrastructures/cluster)", "kubeVersion": "v1.33.4 (/version)",
				"apiVersions": "config.openshift.io/v1,config.openshift.io/v1/Infrastructure,route.openshift.io/v1,route.openshift.io/v1/Route,v1,v1/Pod (discovery)",
			},
			region: "eu-west-1", // the cluster's wins
			asked:  7,
		},
		"admin of ROSA classic": {
			server: func(t *testing.T) *clustertest.Server { return openshift(t, "HighlyAvailable", true) },
			want:   map[string]string{"platform": "rosa-classic (infrastructures/cluster)"},
			asked:  7,
		},
		"admin of OpenShift": {
			server: func(t *testing.T) *clustertest.Server { return openshift(t, "HighlyAvailable", false) },
			want:   map[string]string{"platform": "openshift (infrastructures/cluster)"},
			asked:  7,
		},
		"admin of EKS": {
			server: func(t *testing.T) *clustertest.Server { return plainCluster(t, "v1.31.2-eks-7f9249a", eksIssuer) },
			want: map[string]string{
				"platform": "eks (issuer)", "issuer": eksIssuer + " (/.well-known/openid-configuration)", "region": "eu-west-1 (issuer)",
				"clusterID": "the cluster has no clusterversions/version",
			},
			asked: 7,
		},
		"admin of a plain cluster": {
			server: func(t *testing.T) *clustertest.Server { return plainCluster(t, "v1.34.0", "https://oidc.example.com/") },
			want: map[string]string{
				"platform": "kubernetes (API groups served)", "issuer": "https://oidc.example.com (/.well-known/openid-configuration)",
				"region": "ap-south-1 (AWS configuration)",
			},
			region: "ap-south-1",
			notes:  "the region is your AWS configuration's, because the cluster has no infrastructures/cluster",
			asked:  7,
		},
		"project admin of ROSA": {
			server: func(t *testing.T) *clustertest.Server { return projectAdmin(openshift(t, "External", true)) },
			want: map[string]string{
				"platform": "openshift (API groups served)", "issuer": rosaIssuer + " (token of serviceaccounts/default in demo)",
				"region": "us-west-2 (AWS configuration)", "clusterID": "you may not read clusterversions/version",
			},
			region: "us-west-2",
			notes:  "the issuer is read from a token, because you may not read authentications/cluster and you may not read /.well-known/openid-configuration",
			asked:  9,
		},
	} {
		t.Run(name, func(t *testing.T) {
			identity := fakeSTS(t, adminARN)
			t.Setenv("AWS_REGION", c.region)
			s := c.server(t)
			result, err := Detect(t.Context(), Request{Connect: connector(s)})
			if err != nil {
				t.Fatal(err)
			}
			wantFacts(t, result.Facts, c.want)
			wantFacts(t, result.Facts, sts)
			if err := result.Require(); err != nil {
				t.Error(err)
			}
			if err := result.Facts.Validate(); err != nil {
				t.Error(err)
			}
			if result.Caller != "role/Admin" || result.Conn == nil || result.AWS == nil || result.AWS.Config.Region == "" || result.IssuerNeedsProject {
				t.Errorf("%+v", result)
			}
			if notes := strings.Join(result.Notes, "\n"); !strings.Contains(notes, c.notes) {
				t.Errorf("notes: %s", notes)
			}
			onceEach(t, s, c.asked)
			if identity.count() != 1 {
				t.Errorf("STS was asked %d times", identity.count())
			}
		})
	}
}

// onceEach wants n requests, none made twice.
func onceEach(t *testing.T, s *clustertest.Server, n int) {
	t.Helper()
	requests := s.Requests()
	for path, times := range requests {
		if times != 1 {
			t.Errorf("%s: asked %d times", path, times)
		}
	}
	if len(requests) != n {
		t.Errorf("%d requests, want %d: %v", len(requests), n, requests)
	}
}

// TestEverythingAtOnce lets nobody have an answer before all have asked.
func TestEverythingAtOnce(t *testing.T) {
	var everybody sync.WaitGroup
	everybody.Add(8)
	hold := func(*http.Request) { everybody.Done(); everybody.Wait() }
	s := openshift(t, "External", true)
	s.Hold = hold
	identity := fakeSTS(t, adminARN)
	identity.hold = hold
	t.Setenv("AWS_REGION", "us-east-2")
	if _, err := Detect(t.Context(), Request{Connect: connector(s)}); err != nil {
		t.Fatal(err)
	}
}

// noConnect fails the test if the kubeconfig is wanted.
func noConnect(t *testing.T) func() (*cluster.Conn, error) {
	return func() (*cluster.Conn, error) {
		t.Error("the kubeconfig was read")
		return nil, cluster.ErrNotConfigured
	}
}

func everything() render.Facts {
	fact := func(v string) render.Fact { return render.Fact{Value: v, Source: "flag"} }
	return render.Facts{
		Namespace: fact("demo"), ClusterID: fact("x"), Platform: fact("rosa-hcp"), Issuer: fact(rosaIssuer + "/"), Audience: fact("sts.amazonaws.com"),
		Account: fact("123456789012"), Partition: fact("aws"), Region: fact("us-east-2"), KubeVersion: fact("v1.33.4"),
		APIVersions: render.ListFact{Values: []string{"v1"}, Source: "flag"},
	}
}

func TestWhatIsGivenIsNotAsked(t *testing.T) {
	noAWS(t)
	t.Setenv("AWS_PROFILE", "no-such-profile") // reading the AWS configuration would fail
	enough := everything()
	enough.ClusterID, enough.Audience, enough.Partition, enough.KubeVersion = render.Fact{}, render.Fact{}, render.Fact{}, render.Fact{}
	enough.APIVersions = render.ListFact{}
	for name, req := range map[string]Request{
		"everything":          {Given: everything()},
		"everything, render":  {Given: everything(), Policy: AskNeeded},
		"enough to render":    {Given: enough, Policy: AskNeeded},
		"nothing, not to ask": {Policy: AskNothing},
	} {
		req.Connect = noConnect(t)
		result, err := Detect(t.Context(), req)
		if err != nil || result.Conn != nil || result.AWS != nil {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
		if req.Policy != AskNothing {
			if err := result.Require(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			wantFacts(t, result.Facts, map[string]string{"issuer": rosaIssuer + " (flag)", "partition": result.Facts.Partition.Value + " (" + result.Facts.Partition.Source + ")"})
		}
	}
}

func TestOnlyTheMissingIsAsked(t *testing.T) {
	for name, c := range map[string]struct {
		forget func(*render.Facts)
		policy Policy
		paths  []string
		sts    int
	}{
		"cluster id":     {forget: func(f *render.Facts) { f.ClusterID = render.Fact{} }, paths: []string{versionPath}},
		"issuer":         {forget: func(f *render.Facts) { f.Issuer = render.Fact{} }, paths: []string{authPath, docPath}},
		"version":        {forget: func(f *render.Facts) { f.KubeVersion = render.Fact{} }, paths: []string{"GET /version"}},
		"groups":         {forget: func(f *render.Facts) { f.APIVersions = render.ListFact{} }, paths: []string{"GET /version", "GET /api", "GET /apis"}},
		"namespace":      {forget: func(f *render.Facts) { f.Namespace = render.Fact{} }},
		"account":        {forget: func(f *render.Facts) { f.Account = render.Fact{} }, sts: 1},
		"region":         {forget: func(f *render.Facts) { f.Region = render.Fact{} }, paths: []string{infraPath}},
		"partition":      {forget: func(f *render.Facts) { f.Partition = render.Fact{} }},
		"account, ready": {forget: func(f *render.Facts) { f.Account, f.ClusterID = render.Fact{}, render.Fact{} }, policy: AskNeeded, sts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			identity := fakeSTS(t, adminARN)
			s := openshift(t, "External", true)
			given := everything()
			c.forget(&given)
			result, err := Detect(t.Context(), Request{Given: given, Connect: connector(s), Policy: c.policy})
			if err != nil {
				t.Fatal(err)
			}
			if err := result.Require(); err != nil {
				t.Error(err)
			}
			onceEach(t, s, len(c.paths))
			for _, path := range c.paths {
				if s.Requests()[path] != 1 {
					t.Errorf("%s was not asked", path)
				}
			}
			if identity.count() != c.sts {
				t.Errorf("STS was asked %d times", identity.count())
			}
		})
	}
}

func TestBadInputBeforeAnythingIsAsked(t *testing.T) {
	noAWS(t)
	given := render.Facts{Account: render.Fact{Value: "12", Source: "flag"}}
	_, err := Detect(t.Context(), Request{Given: given, Connect: noConnect(t)})
	if flaw := (*problem.Error)(nil); !problem.IsInput(err) || !errors.As(err, &flaw) {
		t.Errorf("%v", err)
	}
}

// TestRouterAPIDown: an OpenShift whose own API server is away for a moment is
// not taken for a cluster without Routes and projects.
func TestRouterAPIDown(t *testing.T) {
	fakeSTS(t, adminARN)
	t.Setenv("AWS_REGION", "us-east-2")
	s := openshift(t, "HighlyAvailable", true)
	s.Discovery("GET /apis", &apidiscovery.APIGroupDiscoveryList{Items: []apidiscovery.APIGroupDiscovery{{
		ObjectMeta: metav1.ObjectMeta{Name: "route.openshift.io"},
		Versions:   []apidiscovery.APIVersionDiscovery{{Version: "v1", Freshness: apidiscovery.DiscoveryFreshnessStale}},
	}}})
	_, err := Detect(t.Context(), Request{Connect: connector(s)})
	if p := (*problem.Error)(nil); !errors.As(err, &p) || p.Kind != problem.Failed || !strings.Contains(p.Next, "oc get apiservice v1.route.openshift.io") {
		t.Errorf("%v", err)
	}
}
