package role

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/rolecode"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const account, issuer = "123456789012", "https://issuer.example.com"

// playing is a session on a cluster that serves nothing, and what it writes. AWS answers by
// serve; nil: no request may reach it.
func playing(t *testing.T, serve http.HandlerFunc) (s *session.Session, data, talk *bytes.Buffer) {
	t.Helper()
	if serve == nil {
		serve = func(http.ResponseWriter, *http.Request) { t.Error("AWS is asked") }
	}
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "none"),
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	streams, _, data, talk := genericiooptions.NewTestIOStreams()
	return &session.Session{
		Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Report: ui.New(data, ui.Style{}, time.Now),
		Getter: clustertest.New(t, "v1.33.0").Getter("demo"), Now: time.Now,
	}, data, talk
}

// inAWS answers for an account whose roles these are; a policy is the inline one.
func inAWS(partition string, roles ...iam.Role) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		action := r.Form.Get("Action")
		answer := func(result string) {
			fmt.Fprintf(w, "<%sResponse><%sResult>%s</%sResult></%sResponse>", action, action, result, action, action)
		}
		if action == "GetCallerIdentity" {
			answer("<Arn>arn:" + partition + ":iam::" + account + ":user/bob</Arn><Account>" + account + "</Account>")
			return
		}
		n := slices.IndexFunc(roles, func(one iam.Role) bool { return one.Name == r.Form.Get("RoleName") })
		if n < 0 || action == "GetRolePolicy" && roles[n].Policy == nil {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>m</Message></Error></ErrorResponse>")
			return
		}
		role := roles[n]
		switch action {
		case "GetRole":
			var tags strings.Builder
			for key, value := range role.Tags {
				fmt.Fprintf(&tags, "<member><Key>%s</Key><Value>%s</Value></member>", key, value)
			}
			answer(fmt.Sprintf("<Role><Path>%s</Path><RoleName>%s</RoleName><RoleId>R</RoleId><Arn>%s</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>"+
				"<AssumeRolePolicyDocument>%s</AssumeRolePolicyDocument><Tags>%s</Tags></Role>", role.Path, role.Name, role.ARN, url.QueryEscape(role.Trust.JSON()), tags.String()))
		case "ListRolePolicies":
			if role.Policy != nil {
				answer("<PolicyNames><member>" + iam.PolicyName + "</member></PolicyNames><IsTruncated>false</IsTruncated>")
				return
			}
			answer("<PolicyNames/><IsTruncated>false</IsTruncated>")
		case "GetRolePolicy":
			answer("<RoleName>" + role.Name + "</RoleName><PolicyName>" + iam.PolicyName + "</PolicyName><PolicyDocument>" + url.QueryEscape(role.Policy.JSON()) + "</PolicyDocument>")
		case "ListAttachedRolePolicies":
			answer("<AttachedPolicies/><IsTruncated>false</IsTruncated>")
		}
	}
}

func fact(value string) render.Fact { return render.Fact{Value: value, Source: "flag"} }

// given are all facts that a role needs.
func given() session.Facts {
	return session.Facts{Given: render.Facts{
		Namespace: fact("demo"), Account: fact(account), Region: fact("us-east-2"), Issuer: fact(issuer), Platform: fact(render.PlatformOpenShift),
	}}
}

// ofController is a request for the controller's role, in its usual namespace.
func ofController(pattern string) Request {
	facts := given()
	facts.Given.Namespace = render.Fact{}
	return Request{Facts: facts, Of: OfController, Role: iam.ControllerOptions{BucketPattern: pattern}}
}

func appRole(t *testing.T) iam.Role {
	t.Helper()
	role, err := iam.Desired(given().Given.Complete(), iam.RoleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return role
}

func interrupted(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// kindOf is the kind of an error, 0 for one without.
func kindOf(err error) problem.Kind {
	var told *problem.Error
	if !errors.As(err, &told) {
		return 0
	}
	return told.Kind
}

// TestRender: with all facts given nobody is asked, and the role is the one of install.
func TestRender(t *testing.T) {
	named := Request{Facts: given(), Of: OfApp}
	named.Role.Name = "mine"
	for name, c := range map[string]struct {
		r        Request
		format   rolecode.Format
		imported bool
		want     []string
	}{
		"app":        {Request{Facts: given(), Of: OfApp}, rolecode.Text, false, []string{render.RoleName(issuer, "demo"), "demo-bucket"}},
		"named":      {named, rolecode.AWS, false, []string{"mine", "aws iam create-role"}},
		"imported":   {Request{Facts: given(), Of: OfApp}, rolecode.Terraform, true, []string{"import {"}},
		"controller": {ofController("*-bucket"), rolecode.JSON, false, []string{render.ControllerRoleNames(issuer)[0], "*-bucket", "system:serviceaccount:" + render.ControllerNamespace}},
	} {
		s, data, talk := playing(t, nil)
		if err := Render(t.Context(), s, c.r, c.format, c.imported); err != nil || talk.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, talk)
		}
		for _, want := range c.want {
			if !strings.Contains(data.String(), want) {
				t.Errorf("%s: no %q in\n%s", name, want, data)
			}
		}
		if s, data, _ := playing(t, nil); !errors.Is(Render(interrupted(t), s, Request{Of: c.r.Of}, c.format, false), context.Canceled) || data.Len() > 0 {
			t.Errorf("%s: interrupted, it prints %s", name, data)
		}
	}
}

// TestRenderKeepsTheName: a role that an earlier version created keeps its name, if AWS is
// asked anyway. If IAM does not say, a warning does.
func TestRenderKeepsTheName(t *testing.T) {
	app, err := iam.Desired(given().Given.Complete(), iam.RoleOptions{Name: render.EarlierRoleName(issuer, "demo")})
	if err != nil {
		t.Fatal(err)
	}
	f := given().Given.Complete()
	f.Namespace.Value = render.ControllerNamespace
	pattern := iam.ControllerOptions{BucketPattern: "*-bucket"}
	pattern.Name = render.ControllerRoleNames(issuer)[1]
	controller, err := iam.DesiredController(f, pattern)
	if err != nil {
		t.Fatal(err)
	}
	denied := func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if r.Form.Get("Action") == "GetCallerIdentity" {
			inAWS("aws")(w, r)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>")
	}
	for earlier, r := range map[*iam.Role]Request{&app: {Facts: given(), Of: OfApp}, &controller: ofController("*-bucket")} {
		r.Facts.Given.Account = render.Fact{}
		named := regexp.MustCompile(regexp.QuoteMeta(earlier.ARN) + `\b`)
		s, data, talk := playing(t, inAWS("aws", *earlier))
		if err := Render(t.Context(), s, r, rolecode.Text, false); err != nil || !named.Match(data.Bytes()) || talk.Len() > 0 {
			t.Errorf("%v\n%s%s", err, data, talk)
		}
		s, data, talk = playing(t, denied)
		if err := Render(t.Context(), s, r, rolecode.Text, false); err != nil || named.Match(data.Bytes()) || !strings.Contains(talk.String(), "--role-name "+earlier.Name) {
			t.Errorf("%v\n%s%s", err, data, talk)
		}
	}
}

// TestRenderRefuses: what no role can have is wrong input.
func TestRenderRefuses(t *testing.T) {
	bad, badly := given(), Request{Facts: given(), Of: OfApp}
	bad.Given.Region = fact("nowhere!")
	badly.Role.Name = "no name"
	for name, r := range map[string]Request{
		"a fact":            {Facts: bad, Of: OfApp},
		"no pattern":        ofController(""),
		"a pattern":         ofController("NO!"),
		"a role name":       badly,
		"no such file":      {Facts: session.Facts{File: filepath.Join(t.TempDir(), "none")}, Of: OfApp},
		"a controller file": {Facts: session.Facts{File: filepath.Join(t.TempDir(), "none")}, Of: OfController},
	} {
		s, data, _ := playing(t, nil)
		if err := Render(t.Context(), s, r, rolecode.Text, false); !problem.IsInput(err) || data.Len() > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, _, _ := playing(t, nil)
	if err := Render(t.Context(), s, Request{Facts: given()}, "odd", false); err == nil {
		t.Error("an unknown format is printed")
	}
	if Of("x").Known() || !OfApp.Known() || !OfController.Known() {
		t.Error("whose roles there are")
	}
}

// TestPlan: what install would change, and with strict a refusal if that is anything.
func TestPlan(t *testing.T) {
	same, other := appRole(t), appRole(t)
	other.Trust.Statement = nil
	for name, c := range map[string]struct {
		roles  []iam.Role
		says   string
		steps  int
		exists bool
	}{
		"new":     {nil, "would be made", 2, false},
		"same":    {[]iam.Role{same}, "nothing to change", 0, true},
		"changed": {[]iam.Role{other}, "would be changed", 1, true},
	} {
		r := Request{Facts: given(), Of: OfApp}
		s, data, talk := playing(t, inAWS("aws", c.roles...))
		if err := Plan(t.Context(), s, r, "text", false); err != nil || !strings.Contains(talk.String(), c.says) || (data.Len() == 0) != (c.steps == 0) {
			t.Errorf("%s: %v\n%s%s", name, err, talk, data)
		}
		s, data, talk = playing(t, inAWS("aws", c.roles...))
		want := problem.Kind(0)
		if c.steps > 0 {
			want = problem.Refused
		}
		if err := Plan(t.Context(), s, r, session.FormatJSON, true); kindOf(err) != want || talk.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, talk)
		}
		var told document
		if err := json.Unmarshal(data.Bytes(), &told); err != nil || told.Exists != c.exists || len(told.Steps) != c.steps || told.Role != same.ARN {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
}

// TestPlanRefuses: roles and credentials that are not the install's, and wrong input before
// AWS is asked.
func TestPlanRefuses(t *testing.T) {
	foreign := appRole(t)
	foreign.Tags = nil
	s, _, _ := playing(t, inAWS("aws", foreign))
	named := Request{Facts: given(), Of: OfApp}
	named.Role.Name = foreign.Name
	if err := Plan(t.Context(), s, named, "text", false); kindOf(err) != problem.Refused {
		t.Error(err)
	}
	named.Role.Adopt = true
	if err := Plan(t.Context(), s, named, "text", false); err != nil {
		t.Error(err)
	}
	earlier, err := iam.Desired(given().Given.Complete(), iam.RoleOptions{Name: render.EarlierRoleName(issuer, "demo")})
	if err != nil {
		t.Fatal(err)
	}
	earlier.Tags = nil
	for adopt, says := range map[bool]string{false: "would be made", true: "the role ostoy-s3/" + earlier.Name + " would be changed"} {
		r := Request{Facts: given(), Of: OfApp}
		r.Role.Adopt = adopt
		s, _, talk := playing(t, inAWS("aws", earlier))
		if err := Plan(t.Context(), s, r, "text", false); err != nil || !strings.Contains(talk.String(), says) {
			t.Errorf("%t: %v\n%s", adopt, err, talk)
		}
	}
	s, _, _ = playing(t, inAWS("aws", foreign))
	elsewhere := Request{Facts: given(), Of: OfApp}
	elsewhere.Facts.Given.Account = fact("222222222222")
	if err := Plan(t.Context(), s, elsewhere, "text", false); kindOf(err) != problem.Refused || !strings.Contains(err.Error(), "222222222222") {
		t.Error(err)
	}
	badly := Request{Facts: given(), Of: OfController, Role: iam.ControllerOptions{BucketPattern: "NO!"}}
	file := Request{Facts: session.Facts{File: filepath.Join(t.TempDir(), "none")}}
	for name, r := range map[string]Request{"a pattern": badly, "no such file": file} {
		s, _, _ := playing(t, nil)
		if err := Plan(t.Context(), s, r, "text", false); !problem.IsInput(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, data, _ := playing(t, inAWS("aws"))
	if err := Plan(interrupted(t), s, Request{Facts: given()}, "text", false); !errors.Is(err, context.Canceled) || data.Len() > 0 {
		t.Errorf("%v", err)
	}
}

// TestPlanOfController: a role that exists keeps its pattern, which is noted; a new one,
// and one whose pattern cannot be read, needs the flag.
func TestPlanOfController(t *testing.T) {
	f := given().Given
	f.Namespace.Value = render.ControllerNamespace
	role, err := iam.DesiredController(f.Complete(), iam.ControllerOptions{BucketPattern: "team-*"})
	if err != nil {
		t.Fatal(err)
	}
	s, _, talk := playing(t, inAWS("aws", role))
	if err := Plan(t.Context(), s, ofController(""), "text", true); err != nil || !strings.Contains(talk.String(), "team-* is read from the policy") {
		t.Errorf("%v\n%s", err, talk)
	}
	if err := Plan(t.Context(), s, ofController("other-*"), "text", true); kindOf(err) != problem.Refused {
		t.Error(err)
	}
	unreadable := role
	unreadable.Policy = nil
	for name, roles := range map[string][]iam.Role{"new": nil, "without a policy": {unreadable}} {
		s, _, _ := playing(t, inAWS("aws", roles...))
		if err := Plan(t.Context(), s, ofController(""), "text", false); !problem.IsInput(err) || !strings.Contains(err.Error(), "bucket-pattern") && !strings.Contains(kindNext(err), "bucket-pattern") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKept: of managed policies the only one is kept, of several none is; the flags win.
func TestKept(t *testing.T) {
	f := given().Given.Complete()
	f.Namespace.Value = render.ControllerNamespace
	role, err := iam.DesiredController(f, iam.ControllerOptions{BucketPattern: "*"})
	if err != nil {
		t.Fatal(err)
	}
	const one, other = "arn:aws:iam::aws:policy/One", "arn:aws:iam::aws:policy/Other"
	for name, c := range map[string]struct {
		o        iam.ControllerOptions
		attached []string
		want     string
	}{
		"one":     {iam.ControllerOptions{}, []string{one}, one},
		"several": {iam.ControllerOptions{}, []string{one, other}, ""},
		"by flag": {iam.ControllerOptions{RoleOptions: iam.RoleOptions{PolicyARN: other}}, []string{one}, other},
	} {
		got, notes, err := kept(c.o, &iam.Actual{Exists: true, ARN: role.ARN, Path: role.Path, Tags: role.Tags, Attached: c.attached}, f)
		if got.PolicyARN != c.want || len(notes) > 0 || (err != nil) != (c.want == "") {
			t.Errorf("%s: %q, %q, %v", name, got.PolicyARN, notes, err)
		}
	}
}

func kindNext(err error) string {
	var told *problem.Error
	if !errors.As(err, &told) {
		return ""
	}
	return told.Next
}

// TestPolicy: the account is given, or that of the credentials, and a class needs the
// issuer as well.
func TestPolicy(t *testing.T) {
	whole := session.Facts{Given: render.Facts{Account: fact(account), Partition: fact("aws-us-gov")}}
	class := iam.PeopleOptions{For: iam.ForClass, Projects: []string{"learner*", "learner1"}, Boundary: "arn:aws:iam::" + account + ":policy/b"}
	for name, c := range map[string]struct {
		r    PolicyRequest
		aws  http.HandlerFunc
		want string
	}{
		"given":      {PolicyRequest{whole, iam.PeopleOptions{For: iam.ForInstall}}, nil, "arn:aws-us-gov:"},
		"a region":   {PolicyRequest{session.Facts{Given: render.Facts{Account: fact(account), Region: fact("cn-north-1")}}, iam.PeopleOptions{For: iam.ForController}}, nil, "arn:aws-cn:"},
		"the caller": {PolicyRequest{session.Facts{}, iam.PeopleOptions{For: iam.ForInstall}}, inAWS("aws"), "arn:aws:iam::" + account},
		"a project":  {PolicyRequest{session.Facts{Given: render.Facts{Account: fact(account), Partition: fact("aws"), Namespace: fact("No_Name")}}, iam.PeopleOptions{For: iam.ForInstall}}, nil, "arn:aws:"},
		"a class":    {PolicyRequest{given(), class}, nil, "issuer.example.com"},
	} {
		s, data, talk := playing(t, c.aws)
		if err := Policy(t.Context(), s, c.r); err != nil || !json.Valid(data.Bytes()) || !strings.Contains(data.String(), c.want) {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
		if noted := strings.Contains(talk.String(), "note  this policy can give a role any permission"); noted == (c.r.Policy.For == iam.ForClass) {
			t.Errorf("%s: %s", name, talk)
		}
	}
}

// TestPolicyOfAClass: the issuer that nobody gives is that of a token in a project of the
// class.
func TestPolicyOfAClass(t *testing.T) {
	server := clustertest.New(t, "v1.33.0")
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://other.example.com"}`))
	server.Answer("POST /api/v1/namespaces/learner1/serviceaccounts/default/token", map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "status": map[string]any{"token": "a." + payload + ".b"},
	})
	class := iam.PeopleOptions{For: iam.ForClass, Projects: []string{"learner*", "learner1"}, Boundary: "arn:aws:iam::" + account + ":policy/b"}
	s, data, _ := playing(t, nil)
	s.Getter = server.Getter("demo")
	facts := session.Facts{Given: render.Facts{Account: fact(account), Partition: fact("aws")}}
	if err := Policy(t.Context(), s, PolicyRequest{facts, class}); err != nil || !strings.Contains(data.String(), "other.example.com") {
		t.Errorf("%v\n%s", err, data)
	}
}

func TestPolicyRefuses(t *testing.T) {
	install := iam.PeopleOptions{For: iam.ForInstall}
	of := func(f render.Facts) session.Facts { return session.Facts{Given: f} }
	for name, c := range map[string]struct {
		r   PolicyRequest
		aws http.HandlerFunc
	}{
		"no such file":      {PolicyRequest{session.Facts{File: filepath.Join(t.TempDir(), "none")}, install}, nil},
		"a fact":            {PolicyRequest{of(render.Facts{Account: fact("12")}), install}, nil},
		"another partition": {PolicyRequest{of(render.Facts{Partition: fact("aws-cn")}), install}, inAWS("aws")},
		"no partition":      {PolicyRequest{session.Facts{}, install}, inAWS("aws-iso")},
		"a region":          {PolicyRequest{of(render.Facts{Region: fact("nowhere!")}), install}, nil},
		"no boundary":       {PolicyRequest{given(), iam.PeopleOptions{For: iam.ForClass, Projects: []string{"learner1"}}}, nil},
	} {
		s, data, _ := playing(t, c.aws)
		if err := Policy(t.Context(), s, c.r); !problem.IsInput(err) || data.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
	s, data, _ := playing(t, inAWS("aws"))
	if err := Policy(interrupted(t), s, PolicyRequest{Policy: install}); !errors.Is(err, context.Canceled) || data.Len() > 0 {
		t.Errorf("%v\n%s", err, data)
	}
	if got := literal([]string{"learner*", "learner1", "learner2"}); got != "learner1" {
		t.Error(got)
	}
}
