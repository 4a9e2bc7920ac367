package ostoys3_test

import (
	"go/ast"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// advised is one command that the source has the user type.
type advised struct {
	at    string
	words []string // that the source spells; values are left out
}

// program is the command without its flags and objects: "oc delete", "aws iam get-role".
func (a advised) program() string {
	most := 2
	if a.words[0] == "aws" || a.words[1] == "adm" {
		most = 3
	}
	var words []string
	for _, word := range a.words[:min(most, len(a.words))] {
		if strings.HasPrefix(word, "-") {
			break
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// advisedBy are the commands that a file makes with package advice.
func advisedBy(s source) []advised {
	makers := []string{"advice.Command"}
	switch s.dir() {
	case "plugin/advice":
		makers = append(makers, "Command")
	case "plugin/kube/apply": // of objects of the set
		makers = append(makers, "oc")
	}
	var all []advised
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		call, is := n.(*ast.CallExpr)
		if !is || len(call.Args) == 0 || !slices.Contains(makers, spelled(call.Fun)) {
			return true
		}
		var words []string
		for _, arg := range call.Args {
			ast.Inspect(arg, func(n ast.Node) bool {
				if inner, is := n.(*ast.CallExpr); is && spelled(inner.Fun) != "append" {
					return false // of a value
				}
				if literal, is := n.(*ast.BasicLit); is {
					if text, err := strconv.Unquote(literal.Value); err == nil {
						words = append(words, strings.Fields(text)...)
					}
				}
				return true
			})
		}
		if len(words) > 1 && !strings.HasPrefix(words[0], "-") {
			all = append(all, advised{s.path + ": " + s.at(call), words})
		}
		return true
	})
	return all
}

// flagsOf are our own commands and their flags, those of all commands included.
func flagsOf(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("cmd/testdata/commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	flags, command := map[string][]string{}, ""
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "  ") {
			for _, word := range strings.Fields(line) {
				if strings.HasPrefix(word, "-") {
					flags[command] = append(flags[command], word)
				}
			}
			continue
		}
		command, _, _ = strings.Cut(strings.TrimSpace(line), ":")
		flags[command] = nil
	}
	for command, own := range flags {
		if command != "oc ostoy-s3" {
			flags[command] = append(own, flags["oc ostoy-s3"]...)
		}
	}
	return flags
}

// TestAdvisedCommandsExist: each command of this tool that a message has the user type is
// one that it has, with flags that this command has.
func TestAdvisedCommandsExist(t *testing.T) {
	const fewest = 60
	flags := flagsOf(t)
	found := 0
	for _, s := range moduleFiles(t) {
		for _, a := range advisedBy(s) {
			if len(a.words) < 2 || a.words[1] != "ostoy-s3" {
				continue
			}
			found++
			command, rest := "oc ostoy-s3", a.words[2:]
			for len(rest) > 0 {
				if _, known := flags[command+" "+rest[0]]; !known {
					break
				}
				command, rest = command+" "+rest[0], rest[1:]
			}
			if len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
				t.Errorf("%s: %s has no command %s", a.at, command, rest[0])
			}
			for _, word := range rest {
				name, _, _ := strings.Cut(word, "=")
				if command != "oc ostoy-s3" && strings.HasPrefix(name, "-") && !slices.Contains(flags[command], strings.TrimSpace(name)) {
					t.Errorf("%s: %s has no flag %s", a.at, command, name)
				}
			}
		}
	}
	if found < fewest {
		t.Errorf("only %d commands were found", found)
	}
}

// TestInstallIsAdvisedByHands: an install that does not say who manages the objects is
// refused if ostoy-s3 does not, so what looks at an installed app advises none but that of
// live.Hands; package health is given it (Around.Install). A project that does not exist yet
// has no objects.
func TestInstallIsAdvisedByHands(t *testing.T) {
	for _, s := range moduleFiles(t) {
		if !slices.Contains([]string{"plugin/check", "plugin/status", "plugin/verify", "plugin/kube/health"}, s.dir()) {
			continue
		}
		for _, a := range advisedBy(s) {
			if len(a.words) > 2 && a.words[1] == "ostoy-s3" && a.words[2] == "install" && !slices.Contains(a.words, "--new-project=") {
				t.Errorf("%s: %s: live.Hands knows how, of the app that is looked at", a.at, strings.Join(a.words, " "))
			}
		}
	}
}

// What an advised command of another tool does.
const (
	looks   = "looks, and changes nothing"
	changes = "changes what was found"
	human   = "needs a person: a password, a browser, or another shell"
)

// otherTools are the commands of other tools that messages have the user type. One that
// changes something must be able to end the finding that it is printed for; one that only
// looks is never the whole of a cure that a test runs.
func otherTools() map[string]string {
	return map[string]string{
		"aws account enable-region":                         changes,
		"aws iam add-client-id-to-open-id-connect-provider": changes,
		"aws iam create-open-id-connect-provider":           changes,
		"aws iam delete-role":                               changes,
		"aws iam delete-role-policy":                        changes,
		"aws iam detach-role-policy":                        changes,
		"aws iam remove-role-from-instance-profile":         changes,
		"aws s3 rm":                              changes,
		"aws s3api delete-bucket":                changes,
		"aws s3api put-bucket-encryption":        changes,
		"aws s3api put-public-access-block":      changes,
		"helm install":                           changes,
		"helm uninstall":                         changes,
		"oc adm new-project":                     changes,
		"oc adm policy":                          changes,
		"oc annotate":                            changes,
		"oc apply":                               changes,
		"oc config":                              changes,
		"oc create":                              changes,
		"oc delete":                              changes,
		"oc patch":                               changes,
		"oc project":                             changes,
		"oc rollout":                             changes,
		"oc scale":                               changes,
		"oc set":                                 changes,
		"aws configure":                          human,
		"aws configure export-credentials":       human,
		"aws configure sso":                      human,
		"aws configure sso-session":              human,
		"aws login":                              human,
		"aws sso login":                          human,
		"aws sts get-session-token":              human,
		"oc edit":                                human,
		"oc login":                               human,
		"oc port-forward":                        human,
		"unset AWS_CA_BUNDLE":                    human,
		"unset AWS_WEB_IDENTITY_TOKEN_FILE":      human,
		"aws configure list":                     looks,
		"aws configure list-profiles":            looks,
		"aws eks list-pod-identity-associations": looks,
		"aws iam get-policy":                     looks,
		"aws iam get-role":                       looks,
		"aws iam list-attached-role-policies":    looks,
		"aws iam list-instance-profiles-for-role": looks,
		"aws iam list-policies":                   looks,
		"aws iam list-role-policies":              looks,
		"aws iam list-role-tags":                  looks,
		"aws s3api get-bucket-location":           looks,
		"aws sts get-caller-identity":             looks,
		"helm list":                               looks,
		"ls":                                      looks,
		"oc api-resources":                        looks,
		"oc auth":                                 looks,
		"oc describe":                             looks,
		"oc explain":                              looks,
		"oc get":                                  looks,
		"oc logs":                                 looks,
		"oc projects":                             looks,
		"oc wait":                                 looks,
	}
}

// TestAdvisedToolsAreKnown: whoever has the user type a command of another tool says here
// what it does.
func TestAdvisedToolsAreKnown(t *testing.T) {
	known, used := otherTools(), map[string]bool{}
	for _, s := range moduleFiles(t) {
		for _, a := range advisedBy(s) {
			if len(a.words) > 1 && a.words[1] == "ostoy-s3" {
				continue
			}
			used[a.program()] = true
			if known[a.program()] == "" {
				t.Errorf("%s: %q is in no list of what it does", a.at, a.program())
			}
		}
	}
	for _, command := range slices.Sorted(maps.Keys(known)) {
		if !used[command] {
			t.Errorf("nothing advises %q any more", command)
		}
	}
}
