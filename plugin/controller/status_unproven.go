package controller

import (
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
)

// Unproven is a Deployment that looks like a controller, and of which nothing more is
// reported: every project editor can create one, with any environment.
type Unproven struct {
	status.Part        // Unknown if you are not allowed to ask what it is
	Namespace   string `json:"namespace"`
	Deployment  string `json:"deployment"`
}

// String names it as an argument of oc and kubectl.
func (u Unproven) String() string { return "deployment/" + u.Deployment + " -n " + u.Namespace }

const (
	notAController = "not a controller of the cluster: its service account is not allowed to list and update Buckets in all projects"
	notVerified    = "whether it is a controller is not verified: you are not allowed to " + access.Reviewing
)

// mineUnverified are those that this tool installed, if you are not allowed to ask
// whether they are controllers.
func (l *statusLook) mineUnverified() []ack.Controller {
	return slices.DeleteFunc(slices.Clone(l.found.Controllers.Unverified), func(c ack.Controller) bool { return !l.found.isMine(c) })
}

// unproven are the Deployments that are not judged, first those that may be controllers.
func (l *statusLook) unproven() []Unproven {
	var all []Unproven
	for _, c := range l.found.unverified() {
		all = append(all, Unproven{part(status.Unknown, notVerified, ""), c.Namespace, c.Name})
	}
	for _, c := range l.found.Controllers.Unproven {
		one := Unproven{part("", notAController, ""), c.Namespace, c.Name}
		if l.found.isMine(c) {
			one.Part = part(status.Wrong, "managed by ostoy-s3, and "+notAController, "oc ostoy-s3 controller install")
		}
		all = append(all, one)
	}
	return all
}

// proof is about a controller whose details are reported although it is not proven.
func (l *statusLook) proof(c ack.Controller) status.Part {
	if slices.ContainsFunc(l.found.Controllers.Proven, func(p ack.Controller) bool { return p.String() == c.String() }) {
		return status.Part{}
	}
	return part(status.Unknown, notVerified, "")
}

// unverified is the error if no controller is proven and one may be: that is no verdict.
func (r *Report) unverified() *problem.Error {
	var names []string
	for _, one := range r.Unproven {
		if one.Mark == status.Unknown {
			names = append(names, one.String())
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &problem.Error{
		Kind: problem.Failed, What: "whether an ACK S3 controller is installed is not verified",
		Why:  some(names) + ": " + notVerified,
		Next: "ask a cluster admin to run the same command, or for that permission",
	}
}

// lookalikes are the Deployments that are no controllers, as an explanation that no
// controller was found.
func (r *Report) lookalikes() string {
	var names []string
	for _, one := range r.Unproven {
		if one.Mark != status.Unknown {
			names = append(names, one.String())
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "\n" + some(names) + ": " + notAController
}
