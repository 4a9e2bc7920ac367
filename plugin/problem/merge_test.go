package problem

import (
	"errors"
	"strings"
	"testing"
)

// TestMerge: problems with the same cause and the same next step are one problem, which
// lists their objects.
func TestMerge(t *testing.T) {
	get := func(words []string) string { return "oc get " + strings.Join(words, " ") + " -n demo" }
	managed := func(name, word string) *Error {
		return Refuse("Route "+name+" in demo is managed by Argo CD", "both would undo each other", "").
			With(Alike{Objects: []Object{{Name: "Route " + name, Word: word}}, Noun: "object", Are: "in demo are managed by Argo CD", Next: get})
	}
	quota := func(name, why string) *Error {
		return Fail("Pod "+name+" could not be created", why, "free something").
			With(Alike{Objects: []Object{{Name: "Pod " + name, Word: "pod/" + name}}, Noun: "object", Are: "could not be created", Cause: "quota"})
	}
	expired := func(request string) *Error {
		return Fail("the credentials have expired", "AWS refused "+request, "log in").With(Alike{Objects: []Object{{Name: request, Word: request}}})
	}
	login := func(what, page string) *Error {
		p := Fail(what, "", "oc login").See(page)
		p.Like = &Alike{Root: "login"}
		return p
	}
	plain := Refuse("something else", "", "")
	for name, test := range map[string]struct {
		problems []*Error
		want     string
	}{
		"none":           {nil, ""},
		"one stays":      {[]*Error{managed("a", "route/a")}, "Route a in demo is managed by Argo CD|both would undo each other|oc get route/a -n demo\n"},
		"the same twice": {[]*Error{plain, plain}, "something else||\n"},
		"what stops everything": {
			[]*Error{login("it does not know you", "a.md"), plain, login("x could not be read", "b.md")},
			"it does not know you||oc login\nsomething else||\n",
		},
		"several": {
			[]*Error{managed("a", "route/a"), plain, managed("b", "route/b"), managed("c", "route/c"), managed("a", "route/a")},
			"3 objects in demo are managed by Argo CD: Route a, Route b, Route c|both would undo each other|oc get route/a route/b route/c -n demo\nsomething else||\n",
		},
		"reasons of their own": {
			[]*Error{quota("a", "1 too many"), quota("b", "2 too many"), quota("c", "1 too many")},
			"3 objects could not be created: Pod a, Pod b, Pod c|Pod a, Pod c: 1 too many\nPod b: 2 too many|free something\n",
		},
		"of all requests": {
			[]*Error{expired("iam:GetRole"), expired("s3:ListBucket")},
			"the credentials have expired|AWS refused iam:GetRole|log in\n",
		},
		"another cause": {[]*Error{managed("a", "route/a"), quota("b", "both would undo each other")}, "Route a in demo is managed by Argo CD|both would undo each other|oc get route/a -n demo\nPod b could not be created|both would undo each other|free something\n"},
		"another page":  {[]*Error{managed("a", "route/a"), managed("b", "route/b").See("docs/x.md")}, "Route a in demo is managed by Argo CD|both would undo each other|oc get route/a -n demo\nRoute b in demo is managed by Argo CD|both would undo each other|oc get route/b -n demo\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, p := range Merge(Merge(test.problems)) {
				got += p.What + "|" + p.Why + "|" + p.Next + "\n"
			}
			if got != test.want {
				t.Errorf("it is\n%s\nand not\n%s", got, test.want)
			}
		})
	}
}

// TestMergeKeepsCauses: errors.Is finds the cause of each.
func TestMergeKeepsCauses(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	of := func(name string, cause error) *Error {
		return Fail(name, "", "").Because(cause).With(Alike{Objects: []Object{{Name: name}}, Noun: "object", Are: "failed"})
	}
	err := Join([]*Error{of("x", a), of("y", b)})
	if !errors.Is(err, a) || !errors.Is(err, b) {
		t.Errorf("%v lacks a cause", err)
	}
}
