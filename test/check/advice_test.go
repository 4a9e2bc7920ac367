package check_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// step is one command that a finding advises.
type step struct {
	command string
	admin   bool // it is for a cluster admin
}

// way is what a finding advises in one of several ways: its commands are run one after the
// other.
type way []step

// waysOf are the commands in a next step. What begins with "or" or "if" is another way.
func waysOf(next string) []way {
	ways := []way{nil}
	for line := range strings.Lines(next) {
		for n, part := range strings.Split(strings.TrimSpace(line), ", or ") {
			if n > 0 || strings.HasPrefix(part, "or ") || strings.HasPrefix(part, "if ") {
				ways = append(ways, nil)
			}
			last := len(ways) - 1
			for _, command := range commandsIn(part) {
				if !onlyLooks(command) && !incomplete(command) {
					ways[last] = append(ways[last], step{command, strings.Contains(line, "cluster admin")})
				}
			}
		}
	}
	return slices.DeleteFunc(ways, func(w way) bool { return len(w) == 0 })
}

// commandsIn are the commands in a part of a line: what begins with the name of a program,
// up to where the sentence goes on.
func commandsIn(part string) []string {
	begins := regexp.MustCompile(`(?:^|[:,] |\(|then )((?:oc|aws|helm) .*)`)
	goesOn := regexp.MustCompile(` (shows|prints|creates|does|is|says|adopts|names|to take)( .*)?$|, if .*$|\)$`)
	var all []string
	for _, one := range strings.Split(part, "; ") {
		if found := begins.FindStringSubmatch(one); found != nil {
			all = append(all, goesOn.ReplaceAllString(found[1], ""))
		}
	}
	return all
}

// onlyLooks reports whether a command changes nothing of what was found, or is one in
// which a person decides what to change.
func onlyLooks(command string) bool {
	return regexp.MustCompile(`^oc (get|describe|logs|explain|auth|api-resources|projects|edit|login) ` +
		`|^oc set env .* --list$|^oc ostoy-s3 (check|status|diff|facts|explain|verify|render|iam|values)\b` +
		`|^oc ostoy-s3 (controller status|install --new-project$)` +
		`|^aws \S+ (get|list)-|^aws (configure|login|sso|sts) |^helm list`).MatchString(command)
}

// incomplete reports whether a word of a command is to be filled in: NAME.
func incomplete(command string) bool {
	return slices.ContainsFunc(strings.Fields(command), regexp.MustCompile(`(^|[=/])[A-Z]{2,}(_[A-Z]+)*$`).MatchString)
}

// follow runs what a finding advises, and wants the finding gone, or another next step.
// Advice after which the same advice is printed again helps nobody.
func (f fault) follow(t *testing.T, s *scene, found outcome) {
	t.Helper()
	reason := unfollowed()[f.name()]
	ways := waysOf(found.Next)
	switch {
	case found.Next == "" || reason != "":
		return
	case len(ways) == 0:
		t.Errorf("no command that is advised can end this; say in the list why:\n%s", found.Next)
		return
	}
	for _, one := range ways {
		for _, each := range one {
			each.run(t, s, f)
		}
		if f.ended(t, s, found) {
			return
		}
	}
	t.Errorf("what is advised does not end it:\n%s\n%s\n%s\n%+v", found.What, found.Why, found.Next, ways)
}

// run runs a command, word for word as it was printed, as a person who answers yes.
func (s step) run(t *testing.T, on *scene, f fault) {
	t.Helper()
	user, command := on.User, s.command
	if s.admin {
		user = run.Admin(on.Bed)
	}
	if regexp.MustCompile(`^oc ostoy-s3 (install|uninstall|controller install)\b`).MatchString(command) {
		command += " --yes"
	}
	if strings.HasPrefix(command, "oc ostoy-s3 install ") {
		command += " --verify=false" // that the app works is for check to say
	}
	path := programs(t, on.Bed)
	if strings.HasPrefix(command, "aws ") {
		aws, err := testbed.AWSCLI(t.Context(), t.Output())
		must(t, err)
		// An empty profile is none to the SDK, and an error to the command line, which as a
		// Python package knows the region by another name.
		path, command = path+":"+aws, "unset AWS_PROFILE; export AWS_DEFAULT_REGION=\"$AWS_REGION\"; "+command
	}
	// What is on its way, a deletion for example, is waited for.
	for until := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		result := user.Shell(t, path, command)
		if result.Code == 0 || result.Code == 3 {
			return
		}
		if time.Now().After(until) {
			t.Errorf("%s: what is advised failed\n%s", f.name(), result)
			return
		}
	}
}

// programs is a folder with oc.
func programs(t *testing.T, bed *testbed.Bed) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "oc"), fmt.Appendf(nil, `#!/bin/sh
case "$1 $2 $3" in
ostoy-s3*) shift; exec '%s' "$@" ;;
"adm policy add-scc-to-user") # NAME -z ACCOUNT -n NAMESPACE
	exec '%[2]s' create rolebinding "system:openshift:scc:$4" "--clusterrole=system:openshift:scc:$4" "--serviceaccount=$8:$6" -n "$8" ;;
"adm new-project "*) # NAME --admin=USER
	'%[2]s' create namespace "$3"
	exec '%[2]s' create rolebinding admin --clusterrole=admin "--user=${4#--admin=}" -n "$3" ;;
"adm policy remove-scc-from-user") # The only one that has it.
	exec '%[2]s' delete clusterrolebinding "system:openshift:scc:$4" ;;
esac
exec '%[2]s' "$@"
`, run.Tool(), filepath.Join(bed.BinDir, "kubectl")), 0o755))
	return dir
}

// patience is how long another next step must be all there is before it counts: a pod that
// starts has one, too.
const patience = 10 * time.Second

// ended waits until the finding is gone, or its next step is another one.
func (f fault) ended(t *testing.T, s *scene, was outcome) bool {
	t.Helper()
	var other time.Time
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(pause) {
		is := f.look(t, s)
		switch {
		case is.Status == "passed", is.Status == "not asked": // there is nothing left to ask about
			return true
		case sameStep(is, was):
			other = time.Time{}
		case other.IsZero():
			other = time.Now()
			until = other.Add(2 * time.Minute)
		case time.Since(other) > patience:
			t.Logf("%s: another next step: %+v", f.name(), is)
			return true
		}
	}
	return false
}

// sameStep reports whether two findings advise the same; the names of pods change.
func sameStep(a, b outcome) bool {
	pod := regexp.MustCompile(`-[0-9a-z]{8,10}-[0-9a-z]{5}\b`)
	return a.Status == b.Status && pod.ReplaceAllString(a.Next, "") == pod.ReplaceAllString(b.Next, "")
}

// look is what the fault's check finds now.
func (f fault) look(t *testing.T, s *scene) outcome {
	t.Helper()
	result := s.User.Run(t, append([]string{"check", "-n", s.Namespace, "-o", "json"}, f.flags...)...)
	var document struct{ Checks []outcome }
	if err := json.Unmarshal([]byte(result.Stdout), &document); err != nil {
		return outcome{Status: "no document"}
	}
	for _, o := range document.Checks {
		if o.ID == f.check {
			return o
		}
	}
	return outcome{Status: "not asked"}
}

// unfollowed are the faults that no command ends that is advised, and why.
func unfollowed() map[string]string {
	const (
		chosen   = "a person chooses what to delete or to set"
		another  = "the app has to go to another project"
		written  = "what the scene writes or refuses stays, whatever is done"
		others   = "somebody else has to act: an admin, an owner of credentials"
		filledIn = "digests are filled in; a test of its own does that"
		unplayed = "the emulated AWS does not know AddClientIDToOpenIDConnectProvider"
	)
	return map[string]string{
		"cluster-issuer: --oidc-issuer":                                               others,
		"node-architecture: linux|arm64":                                              others,
		"oidc-provider: does not take audience":                                       unplayed,
		"controller-found: no Deployment matches by labels, image or service account": others,
		"controller-found: not one: deployment|mallorys -n default":                   others,
		"controller-running: broken with [31m(hidden)":                                chosen,
		"controller-role: cannot manage the bucket":                                   others,
		"controller-version: 1.0.28 cannot take over":                                 others,
		"controller-olm: TooManyOperatorGroups":                                       chosen,
		"ack-crd: does not know Buckets":                                              others,
		"two-engines: Argo CD":                                                        "release waits for a sync, and no Argo CD runs here",
		"drift: service|ostoy-old":                                                    chosen,
		"app-available: OOMKilled":                                                    chosen,
		"app-available: cannot be pulled":                                             chosen,
		"app-available: quay.io|ostoylab|ostoy-frontend":                              chosen,
		"app-volume: out of disks":                                                    chosen,
		"app-image-mutable: oc get pods -n":                                           filledIn,
		"app-image-mutable: images are not named by a SHA-256 digest: quay.io|ostoylab|ostoy-frontend:1.6.0, quay.io|ostoylab|ostoy-microservice:1.5.0": filledIn,
		"app-scc: unable to validate against any security context constraint":                                                                           written,
		"app-available: AccessDenied from AssumeRoleWithWebIdentity":                                                                                    written,
		"bucket-synced: no controller has looked at it":                                                                                                 written,
		"bucket-synced: s3:PutBucketPublicAccessBlock":                                                                                                  written,
		"bucket-synced: BucketAlreadyExists":                                                                                                            another,
		"bucket-name-taken: another AWS account":                                                                                                        another,
		"route-admitted: HostAlreadyClaimed":                                                                                                            another,
		"bucket-object: 222222222222":                                                                                                                   others,
		"bucket-reach: |reaching (S3 bucket finance-of-":                                                                                                chosen,
		"bucket-reach: -twin|twin":                                                                                                                      chosen,
		"role-foreign: terraform":                                                                                                                       chosen,
		"role-foreign: under another path":                                                                                                              chosen,
		"role-policy: permissions boundary does not allow s3:PutObject on":                                                                              others,
		"token-issuer: issues tokens as":                                                                                                                chosen,
		"quota: when they are recreated":                                                                                                                chosen,
		"quota: allows 1 of pods":                                                                                                                       chosen,
		"admission: podLabels.team":                                                                                                                     chosen,
		"storage-class: no storage class fast":                                                                                                          chosen,
		"aws-region: AWS_REGION=us-east-2":                                                                                                              chosen,
		"aws-account: of account 222222222222":                                                                                                          others,
		"aws-credentials: AWS does not know these credentials":                                                                                          others,
		"aws-credentials: too many requests":                                                                                                            others,
		"aws-credentials: clock":                                                                                                                        others,
		"aws-credentials: no usable AWS credentials":                                                                                                    others,
		"route-api: serves no Routes":                                                                                                                   others,
		"api-server: connection refused":                                                                                                                others,
		"project-terminating: " + strings.ReplaceAll(ack.Finalizer, "/", "|"):                                                                           "with its first command the project is gone, and nothing is left to look at",
		"pod-identity: volume files at |.aws":                                                                                                           chosen,
		"pod-identity: AWS_ACCESS_KEY_ID of Secret stray":                                                                                               chosen,
	}
}

// TestUnfollowed: each fault of the list is one that is made.
func TestUnfollowed(t *testing.T) {
	all := slices.Concat(local(), global())
	for name := range unfollowed() {
		if !slices.ContainsFunc(all, func(f fault) bool { return f.name() == name }) {
			t.Errorf("no fault is called %q", name)
		}
	}
}
