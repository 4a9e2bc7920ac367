package bucket

import (
	"fmt"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// The pages that explain a refusal: by MoreForeign a caller knows that of a bucket
// of this account that is not known to be ours.
const (
	moreTaken   = "docs/checks/bucket-name-taken.md"
	MoreForeign = "docs/checks/bucket-foreign.md"
)

const anotherProject = "oc ostoy-s3 install --new-project"

// Guard says whether the app may have the bucket: nil, or a *problem.Error of
// kind Refused with the way out. adopt is leave (--adopt=bucket) to take over a
// bucket of this account that is not known to be ours; for another account's
// bucket and for one in another region there is no leave.
func Guard(s State, f render.Facts, adopt bool) error {
	switch s.Kind {
	case Free, Ours:
		return nil
	case OtherAccount:
		return otherAccount(s, f)
	case OtherRegion:
		return otherRegion(s, f)
	}
	if adopt && (s.Kind == Foreign || s.Kind == TagsUnreadable) {
		return nil
	}
	why := s.whose(f) + ". Taking it over would change its settings, tags and policy, and open what is in it to OSToy."
	return &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("bucket %s is in this account already and %s", s.Name, notKnown(s)),
		Why:  upper(why),
		Next: fmt.Sprintf("%s, or %s to take it over", anotherProject, again(f, "--adopt=bucket")),
		More: MoreForeign,
	}
}

func notKnown(s State) string {
	if s.Kind == TagsUnreadable {
		return "it cannot be seen whose it is"
	}
	return "is not ours"
}

func otherAccount(s State, f render.Facts) error {
	e := &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("bucket %s belongs to another AWS account", s.Name),
		Why: fmt.Sprintf("Bucket names are global, and OSToy always uses <project>-bucket, so the project %q cannot have one.",
			f.Namespace.Value),
		Next: anotherProject,
		More: moreTaken,
	}
	if !s.Sure {
		e.What += ", or you lack " + s.Missing + " on it"
		e.Why += " S3 answers both cases alike."
		e.Next += fmt.Sprintf(", or, if it belongs to account %s, ask an AWS administrator for %s and %s on it", f.Account.Value, s.Missing, actionTags)
	}
	return e
}

// otherRegion has no leave: the controller cannot manage a bucket outside the
// region its Bucket names, and says so in its log only.
func otherRegion(s State, f render.Facts) error {
	is := advice.Region(s.Region)
	next := again(f, "--region", is.Word()) + " to use it where it is"
	if !ours(s.Tags, f) {
		next = fmt.Sprintf("%s, or %s to take it over where it is", anotherProject, again(f, "--region", is.Word(), "--adopt=bucket"))
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("bucket %s is in this account already, in region %s and not in %s", s.Name, is, f.Region.Value),
		Why:  "A bucket cannot be moved, and a name is used once in all regions; " + s.whose(f) + ".",
		Next: next,
		More: MoreForeign,
	}
}

// again is install in the project, with flags.
func again(f render.Facts, flags ...string) string {
	return advice.Command("oc ostoy-s3 install", append([]string{"-n", f.Namespace.Value}, flags...)...)
}

// upper begins a sentence.
func upper(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
