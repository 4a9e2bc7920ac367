package bucket

import (
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// wantProblem asks for a *problem.Error of a kind whose parts hold the words.
func wantProblem(t *testing.T, err error, kind problem.Kind, words ...string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) {
		t.Fatalf("not a problem: %v", err)
	}
	if p.Kind != kind || p.What == "" || p.Why == "" || p.Next == "" {
		t.Errorf("kind %d, want %d; what %q why %q next %q", p.Kind, kind, p.What, p.Why, p.Next)
	}
	all := p.What + "\n" + p.Why + "\n" + p.Next + "\n" + p.More
	for _, w := range words {
		if !strings.Contains(all, w) {
			t.Errorf("does not say %q:\n%s", w, all)
		}
	}
}

func TestGuard(t *testing.T) {
	const takeOver, away = "oc ostoy-s3 install -n demo --adopt=bucket", "oc ostoy-s3 install --new-project"
	mine := render.OwnershipTags(facts())
	old := render.OwnershipTags(facts())
	old[render.TagIssuer], old[render.TagNamespace] = "https://old.example.com", "other"
	twin := render.OwnershipTags(facts())
	twin[render.TagClusterID] = "99999999"
	for _, c := range []struct {
		name    string
		state   State
		allowed bool     // without leave
		leave   bool     // with leave
		words   []string // of the refusal
	}{
		{"free", State{Kind: Free}, true, true, nil},
		{"ours", State{Kind: Ours, Tags: mine}, true, true, nil},
		{"untagged", State{Kind: Foreign, Tags: map[string]string{}}, false, true, []string{"bucket demo-bucket is in this account already and is not ours", "It has no tags", takeOver, away, "bucket-foreign.md"}},
		{"terraform's", State{Kind: Foreign, Tags: map[string]string{render.TagManagedBy: "terraform"}}, false, true, []string{"terraform manages it"}},
		{"another issuer's", State{Kind: Foreign, Tags: old}, false, true, []string{"namespace other of issuer https://old.example.com", "this cluster's is https://oidc.op1.openshiftapps.com/2abc", takeOver}},
		{"a twin's", State{Kind: Foreign, Tags: twin}, false, true, []string{"cluster 99999999 made it", takeOver}},
		{"closed", State{Kind: TagsUnreadable, Missing: "s3:GetBucketTagging"}, false, true, []string{"it cannot be seen whose it is", "s3:GetBucketTagging", takeOver}},
		{"another account's", State{Kind: OtherAccount, Sure: true}, false, false, []string{
			"bucket demo-bucket belongs to another AWS account\nBucket names are global, and OSToy always uses <project>-bucket, so the project \"demo\" cannot have one.\n" + away + "\ndocs/checks/bucket-name-taken.md",
		}},
		{"another account's, perhaps", State{Kind: OtherAccount, Missing: "s3:ListBucket"}, false, false, []string{"another AWS account, or you lack s3:ListBucket on it", away, "belongs to account 123456789012"}},
		{"elsewhere, ours", State{Kind: OtherRegion, Region: "eu-west-1", Tags: mine}, false, false, []string{"in region eu-west-1 and not in us-east-2", "made for this namespace of this cluster", "oc ostoy-s3 install -n demo --region eu-west-1 to use it"}},
		{"elsewhere, foreign", State{Kind: OtherRegion, Region: "eu-west-1", Tags: old}, false, false, []string{"old.example.com", away, "--region eu-west-1 --adopt=bucket"}},
		{"elsewhere, closed", State{Kind: OtherRegion, Region: "eu-west-1", Missing: "s3:GetBucketTagging"}, false, false, []string{"cannot be read without s3:GetBucketTagging", "--adopt=bucket"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.state.Name = "demo-bucket"
			for adopt, allowed := range map[bool]bool{false: c.allowed, true: c.leave} {
				err := Guard(c.state, facts(), adopt)
				if allowed {
					if err != nil {
						t.Errorf("adopt %v: %v", adopt, err)
					}
					continue
				}
				wantProblem(t, err, problem.Refused, c.words...)
			}
		})
	}
	if Guard(State{}, facts(), false) == nil || Guard(State{}, facts(), true) == nil {
		t.Error("a bucket that was not looked at is let through")
	}
}
