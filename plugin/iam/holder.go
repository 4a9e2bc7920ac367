package iam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// holder is whom a role of ours is made for, by the name of the service account.
// Tags do not tell: they have the namespace, and an app may be in the
// controller's. The role's name and its trust policy do.
type holder string

const (
	theApp        holder = render.ServiceAccount
	theController holder = render.ControllerAccount
)

// String is the holder in a sentence.
func (h holder) String() string {
	if h == theController {
		return "the controller"
	}
	return "the app"
}

// usualNames are the names that the holder's role has unless the user gave another: that
// of a new role, and that of one which an earlier version created.
func (h holder) usualNames(issuer, namespace string) []string {
	if h == theController {
		return render.ControllerRoleNames(issuer)
	}
	return render.RoleNames(issuer, namespace)
}

// paths are where the holder's role may be, the usual one first. A controller's from
// earlier versions is where the roles of apps are.
func (h holder) paths() []string {
	if h == theController {
		return []string{render.ControllerRolePath, render.RolePath}
	}
	return []string{render.RolePath}
}

// admitted are the holders that are among the subjects of a trust policy.
func admitted(subjects []string) []holder {
	var found []holder
	for _, h := range []holder{theApp, theController} {
		for _, subject := range subjects {
			if strings.HasSuffix(subject, ":"+string(h)) {
				found = append(found, h)
				break
			}
		}
	}
	return found
}

// holder is whom the role is described for.
func (r Role) holder() holder {
	if strings.HasSuffix(r.Subject, ":"+string(theController)) {
		return theController
	}
	return theApp
}

// madeFor is whom a role of ours was made for: by its name if that is a usual one,
// else by whom it trusts; "" where neither tells.
func madeFor(name string, a *Actual) holder {
	for _, h := range []holder{theApp, theController} {
		if slices.Contains(h.usualNames(a.Tags[render.TagIssuer], a.Tags[render.TagNamespace]), name) {
			return h
		}
	}
	trust, err := ParseDocument(a.Trust)
	if err != nil {
		return ""
	}
	_, subjects := namedBy(trust)
	if found := admitted(subjects); len(found) == 1 {
		return found[0]
	}
	return ""
}

// another reports whether a role is seen to be made for another than this one.
func (h holder) another(name string, a *Actual) bool {
	is := madeFor(name, a)
	return is != "" && is != h
}

// owns is ours, and made for this one.
func (h holder) owns(name string, a *Actual, f render.Facts) bool {
	return ours(a.Tags, f) && !h.another(name, a)
}

// whoseIs is awserr.Whose, which goes by the tags, for a role that may be
// another's all the same.
func (h holder) whoseIs(name string, a *Actual, f render.Facts) string {
	if ours(a.Tags, f) && h.another(name, a) {
		return "its name or its trust policy says that it is " + of(madeFor(name, a), a)
	}
	return awserr.Whose(a.Tags, f)
}

// of says whose a role is.
func of(h holder, a *Actual) string {
	if h == theController {
		return "the ACK S3 controller's"
	}
	return "the app's in namespace " + advice.Project(a.Tags[render.TagNamespace]).String()
}

// refuseAnothers is the error for a role that is to go with one holder and was
// made for the other. No leave helps: the other has a command of its own.
func (h holder) refuseAnothers(name string, a *Actual) error {
	what := fmt.Sprintf("the role %s is %s and stays", name, of(madeFor(name, a), a))
	if h == theApp {
		return refuse(what, "without it no project of the cluster gets a bucket, or gets rid of one",
			"--keep-role to leave it; oc ostoy-s3 controller uninstall removes it, with the controller")
	}
	return refuse(what, "the app reads and writes its bucket with it",
		advice.Command("oc ostoy-s3 uninstall -n", advice.Project(a.Tags[render.TagNamespace]).Word())+" removes it, with the app")
}
